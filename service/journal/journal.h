/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* Everything that the service writes to the journal. An entry never holds a code, a serial number,
 * or text that a caller wrote. TOKEND_TOKEN names a token by its physical id, a hash.
 *
 * An entry that an administrator may look for has a message id, which never changes. The catalogues
 * (tokend.catalog, tokend.tr.catalog) explain it and tokend(8) lists its fields. */
#define TOKEND_LOG_DOMAIN "tokend"

/* The end of an operation; see audit-record.c. */
/* The new PIN is set. */
#define TOKEND_MESSAGE_DONE "c268ae171bc044548ad24622cf1e8d33"
/* The token refused the code or the new PIN. */
#define TOKEND_MESSAGE_TOKEN_REFUSED "9d3b5a603eac4c2ba32ac319c313118a"
/* The operation was refused or given up before anything was sent. */
#define TOKEND_MESSAGE_NOT_SENT "00560e1c045e493e89c8a2b66e1a90dc"
/* Nothing was sent, since the token has refused this code before. Who asks for it can find out what
 * others have typed. */
#define TOKEND_MESSAGE_ALREADY_REFUSED "62b8369efd934af28faf31e800dceca0"
/* The code may have been sent, and its result is not known. */
#define TOKEND_MESSAGE_OUTCOME_UNKNOWN "af856e2946f345589e128fb14b00dd64"

/* The service starts, and the ledger has a try whose result is not known. */
#define TOKEND_MESSAGE_TRY_PENDING "7be4878962e54d37b5a5f8e98e3e32fb"
/* A token shows fewer tries than before, and no operation of ours was the cause; see loss.c. */
#define TOKEND_MESSAGE_TRIES_LOST "356667696ce341328630d36210830048"
/* A token's own number and its flags contradict each other; see inconsistency.c. */
#define TOKEND_MESSAGE_INCONSISTENT "c998b2bfbc0b437b81a2cd53a16ad21e"

/* A module shows too many changes to tell each of them; see tracker.c. */
#define TOKEND_MESSAGE_TOO_MANY "49eb35f9de2c4c1385b69a956360f96c"

/* A profile cannot be read, or holds an unknown key or value; see profile-load.c. */
#define TOKEND_MESSAGE_PROFILE_LEFT_OUT "a8b8ba4b7bff4a70aea387936d8aa0d1"

/* A module cannot be loaded, crashes, hangs, or answers nonsense; see health.c. */
#define TOKEND_MESSAGE_MODULE_FAILED "f4e99311e0bd45fbaba266cadf924ee7"
/* A module that had failed works again. */
#define TOKEND_MESSAGE_MODULE_BACK "c11f831c6b7c402bbd98a1521b33c421"

/* The ledger is lost: any number of tries may have been spent. */
#define TOKEND_MESSAGE_LEDGER_UNREADABLE "4e9e61abea0f45c2bb09fab0f6f72118"
/* The ledger is not on the disk: no code is sent, or the try of a code that was sent stays pending.
 */
#define TOKEND_MESSAGE_LEDGER_UNWRITABLE "f83351c369eb4e43be16fee148f9b1dc"

/* polkit does not answer, which counts as a refusal. Told once until it answers again. */
#define TOKEND_MESSAGE_POLKIT_SILENT "5e08e018ce044a05a4a4b2cb2d430bfa"

#define tokend_log(level, ...) g_log_structured (TOKEND_LOG_DOMAIN, (level), "MESSAGE", __VA_ARGS__)
#define tokend_debug(...) tokend_log (G_LOG_LEVEL_DEBUG, __VA_ARGS__)
#define tokend_warning(...) tokend_log (G_LOG_LEVEL_WARNING, __VA_ARGS__)

/* tokend_journal (level, message_id, [field, text,]… "MESSAGE", format, …)
 *
 * Writes an entry with a message id. */
#define tokend_journal(level, message_id, ...)                                                     \
  g_log_structured (TOKEND_LOG_DOMAIN, (level), "MESSAGE_ID", (message_id), __VA_ARGS__)

void tokend_journal_variant (GLogLevelFlags level, GVariant *fields);
void tokend_journal_put_text (GVariantDict *fields, const char *field, const char *text);
void tokend_journal_put_number (GVariantDict *fields, const char *field, gint64 number);
void tokend_journal_put_nick (GVariantDict *fields, const char *field, GType type, int value);

G_END_DECLS
