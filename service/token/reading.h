/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendReading:
 *
 * What a module host read from one token, checked.
 */
typedef struct {
  GBytes *manufacturer; /* as the module gave them: untrusted bytes */
  GBytes *model;
  GBytes *serial;
  GBytes *label;
  char *unread;      /* why only its identity could be read; or NULL */
  gboolean is_busy;  /* another program has it for itself, so that it could not be read */
  guint64 insertion; /* the same while the card stays in its reader; 0: not told */
  /* It was not read because nobody has used it since, so that this is what was told before. */
  gboolean is_spared;
  gboolean is_unused;  /* nobody was seen to use its card since what was told before */
  gboolean is_pending; /* it is being read, or about to be: something may have become of it */
  gint64 begun_at; /* when its read began, monotonic, microseconds; 0: when that was asked for */
  char *issuer;    /* the certificate's, or NULL: not told */
  GBytes *certificate;          /* its SHA-256, or NULL: not told */
  char *reader;                 /* the name of its pcscd reader, or NULL: not known */
  gint64 certificate_not_after; /* its end, microseconds since the epoch, or 0: not told */
  gboolean has_no_certificate;  /* there is none to be seen; FALSE: there is, or it is not told */
  gboolean pin_must_change;
  gboolean pin_pad;
  gboolean pin_complex; /* its own policy refuses a new PIN of digits alone */
  gboolean
      pin_tries_hidden;   /* its flags say nothing of the PIN's tries, whatever the profile says */
  gboolean codes_hashed;  /* it takes hashes of codes, which the module does not send */
  char *atr;              /* of its card, in hexadecimal, or NULL: not known */
  guint slot_events;      /* changes when the token was taken out, within one host */
  gboolean is_double;     /* another token has the same label and serial number */
  int pin_minimum_length; /* or -1 */
  int pin_maximum_length; /* or -1 */
  int new_pin_minimum_length; /* or -1 */
  int new_pin_maximum_length; /* or -1 */
  TokendCounterReading counters[TOKEND_N_ROLES];
} TokendReading;

TokendReading *tokend_reading_parse (GVariant *variant, GError **error);
TokendReading *tokend_reading_copy (const TokendReading *reading);
void tokend_reading_free (TokendReading *reading);

gboolean tokend_reading_same_token (const TokendReading *a, const TokendReading *b);
gboolean tokend_reading_has_serial (const TokendReading *reading);
char *tokend_reading_physical_id (const TokendReading *reading);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendReading, tokend_reading_free)

G_END_DECLS
