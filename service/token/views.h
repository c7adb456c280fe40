/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"

G_BEGIN_DECLS

/**
 * TokendView:
 *
 * A token as one module shows it: what tells which others it is one with.
 */
typedef struct {
  const TokendTarget *target;
  guint module;        /* its rank among the modules, 0 the first */
  const char *reader;  /* pcscd's name of where it is; NULL: not known */
  gint64 seen_since;   /* when the first read ended that showed it there, without a break since */
  gint64 seen_at;      /* when the last read began that showed it there */
  const char *path;    /* of its object on the bus: no other view has it */
  GBytes *certificate; /* SHA-256 of the one that the person signs with; NULL: not known */
  gboolean can_unlock;
  gboolean can_set_pin;
  TokendState shown[TOKEND_N_ROLES]; /* by itself, whatever is recorded of it */
} TokendView;

/**
 * TokendRelation:
 *
 * How one view of several stands to the others, which are named by their indexes.
 */
typedef struct {
  guint card; /* the view that stands for all of the same physical token; maybe itself */
  guint pin;  /* likewise, for all of the same PIN */
  gboolean
      is_preferred; /* its module is the one, of those that show this PIN, to operate on it by */
  GArray *related;  /* of guint: the same token under another name, and then what may be the same */
  guint n_one;      /* how many of these, the first, are the same token */
  guint first_doubtful; /* of these it is not certain that they were there at the same time, */
  guint n_doubtful;     /* from the first on, so many */
  TokendCounterRecord shown[TOKEND_N_ROLES]; /* what others show of the same PIN, and of its PUK */
} TokendRelation;

GArray *tokend_views_relate (const TokendView *views, guint n_views);
gboolean tokend_view_was_with (const TokendView *self, const TokendView *other);
char *tokend_view_name_card (const TokendView *self);
char *tokend_view_name_pin (const TokendView *self);

G_END_DECLS
