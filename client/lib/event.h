/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  TOKENCTL_EVENT_ADDED,
  TOKENCTL_EVENT_REMOVED,
  TOKENCTL_EVENT_CHANGED,
} TokenctlEventKind;

/**
 * TokenctlEvent:
 * @kind: what happened
 * @path: the object
 * @before: (nullable): the status before, for %TOKENCTL_EVENT_CHANGED
 * @status: (nullable): the present status, or the last one known
 */
typedef struct {
  TokenctlEventKind kind;
  const char *path;
  GVariant *before;
  GVariant *status;
} TokenctlEvent;

gboolean tokenctl_event_is_worth_telling (GVariant *before, GVariant *status);
char *tokenctl_event_to_text (const TokenctlEvent *event, gboolean colour);
GVariant *tokenctl_event_to_dictionary (const TokenctlEvent *event);

G_END_DECLS
