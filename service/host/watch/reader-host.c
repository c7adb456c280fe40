/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that reads the card in one reader. Another program's transaction with the card, or
 * whatever the card or the module does, holds up nobody but who asks for this card. It is a child
 * of a watching host, and ends when that shuts its end of the socket. */
#include "reader-host.h"

#include "card-numbers.h"
#include "opensc-readers.h"
#include "slot-reader.h"
#include "slots.h"
#include "tokend-module.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct {
  char *reader;
  TokendReadFunctions functions;
  /* Of TokendSlotReading: the last readings; NULL: the module is not initialized. */
  GArray *readings;
} ReaderHost;

/**
 * tokend_reader_receive:
 * @flags: of recv()
 * @type: the expected type
 * @content: (out) (transfer full): of a message that has any
 *
 * Receives a message, which is one byte without a meaning, and then its content.
 *
 * Returns: what was received
 */
TokendReaderMessage
tokend_reader_receive (int socket, int flags, const char *type, GVariant **content)
{
  g_autofree guint8 *data = g_malloc (TOKEND_READER_MESSAGE_MAX);
  const gssize size = TEMP_FAILURE_RETRY (recv (socket, data, TOKEND_READER_MESSAGE_MAX, flags));
  g_autoptr (GVariant) raw = NULL;
  gpointer copy;

  if (size < 0 && errno == EAGAIN)
    return TOKEND_READER_MESSAGE_NONE;
  if (size <= 0 || size == TOKEND_READER_MESSAGE_MAX)
    return TOKEND_READER_MESSAGE_END;
  if (size == 1)
    return TOKEND_READER_MESSAGE_BEGUN;
  copy = g_memdup2 (data + 1, (gsize) size - 1);
  raw = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE (type), copy, (gsize) size - 1, FALSE, g_free, copy));
  *content = g_variant_get_normal_form (raw);
  return TOKEND_READER_MESSAGE_CONTENT;
}

/**
 * tokend_reader_send:
 * @flags: of send().
 * @content: (transfer floating) (nullable): the content, if any.
 *
 * Returns: whether it was sent.
 */
gboolean
tokend_reader_send (int socket, int flags, GVariant *content)
{
  g_autoptr (GVariant) sunk = content != NULL ? g_variant_ref_sink (content) : NULL;
  const gsize size = sunk != NULL ? g_variant_get_size (sunk) : 0;
  g_autofree guint8 *data = g_malloc0 (1 + size);

  if (size > 0)
    memcpy (data + 1, g_variant_get_data (sunk), size);
  return TEMP_FAILURE_RETRY (send (socket, data, 1 + size, flags | MSG_NOSIGNAL)) >= 0;
}

/* Reads what the module shows in this reader, since it may show others that it could not ignore. */
static GArray *
read_afresh (ReaderHost *self, GError **error)
{
  g_autoptr (GHashTable) readers = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) all = NULL;
  GArray *own;

  if (!tokend_opensc_readers_leave_out_others (self->reader, error)
      || !tokend_pkcs11_module_initialize (&self->functions, error))
    return NULL;
  own = g_array_new (FALSE, FALSE, sizeof (TokendSlotReading));
  all = tokend_slots_read (&self->functions, NULL, NULL);
  g_hash_table_add (readers, self->reader);
  for (guint i = 0; all != NULL && i < all->len; i++) {
    TokendSlotReading reading = g_array_index (all, TokendSlotReading, i);
    CK_SLOT_INFO slot = { 0 };

    if (self->functions.get_slot_info (reading.slot, &slot) == CKR_OK)
      reading.reader = tokend_slot_reader_find (readers, &slot, &reading.is_other_possible);
    if (reading.reader != NULL)
      g_array_append_val (own, reading);
  }
  return own;
}

static GVariant *
read_card (ReaderHost *self, GPtrArray *certificates)
{
  g_autoptr (GError) error = NULL;
  GArray *readings = self->readings != NULL
                         ? tokend_slots_read_again (&self->functions, self->readings)
                         : read_afresh (self, &error);

  if (readings == NULL)
    return g_variant_new (TOKEND_READER_ANSWER_TYPE, error->message, NULL, NULL);

  g_clear_pointer (&self->readings, g_array_unref);
  self->readings = tokend_slots_complete (&self->functions, certificates, readings);
  tokend_certificates_forget_others (certificates, self->readings);
  return g_variant_new ("(s@aa{sv}@" TOKEND_CERTIFICATES_TYPE ")", "",
                        tokend_slots_to_variant (certificates, self->readings),
                        tokend_certificates_to_variant (certificates));
}

static gboolean
set_up (ReaderHost *self, int socket)
{
  g_autoptr (GVariant) setup = NULL;
  g_autoptr (GVariant) environment = NULL;
  g_autoptr (GVariant) questions = NULL;
  const char *path;

  if (tokend_reader_receive (socket, 0, TOKEND_READER_SETUP_TYPE, &setup)
      != TOKEND_READER_MESSAGE_CONTENT)
    return FALSE;
  g_variant_get (setup, "(&ss@a{ss}@" TOKEND_QUESTIONS_TYPE ")", &path, &self->reader, &environment,
                 &questions);
  tokend_card_numbers_set_questions (questions);
  return tokend_pkcs11_module_load (path, environment, &self->functions, NULL, NULL)
         && self->functions.finalize != NULL && self->functions.get_slot_info != NULL;
}

/* Returns: whether there may be another question. */
static gboolean
answer (ReaderHost *self, int socket)
{
  g_autoptr (GVariant) ask = NULL;
  g_autoptr (GPtrArray) certificates = NULL;

  switch (tokend_reader_receive (socket, 0, TOKEND_READER_ASK_TYPE, &ask)) {
  case TOKEND_READER_MESSAGE_CONTENT:
    certificates = tokend_certificates_new_from_variant (ask);
    break;
  case TOKEND_READER_MESSAGE_BEGUN:
    certificates = tokend_certificates_new ();
    break;
  default:
    return FALSE;
  }
  return tokend_reader_send (socket, 0, NULL)
         && tokend_reader_send (socket, 0, read_card (self, certificates));
}

/**
 * tokend_reader_host_run:
 * @socket: to the watching host.
 *
 * Lets go of the card before it ends: pcscd may else reset it, and other programs' logins with it.
 */
void
tokend_reader_host_run (int socket)
{
  ReaderHost self = { 0 };

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (!set_up (&self, socket))
    _exit (EX_UNAVAILABLE);
  while (answer (&self, socket))
    ;
  if (self.readings != NULL)
    tokend_pkcs11_module_finalize (&self.functions);
  _exit (EX_OK);
}
