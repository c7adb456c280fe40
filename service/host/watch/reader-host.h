/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "certificates.h"

G_BEGIN_DECLS

/* What goes through the socket to the host of one reader, a message each: first the file name of
 * the module, the name of the reader and the environment; then, for each read, what is known of
 * certificates. */
#define TOKEND_READER_SETUP_TYPE "(ssa{ss})"
#define TOKEND_READER_ASK_TYPE TOKEND_CERTIFICATES_TYPE
/* And what comes back: a message without content when a read begins, since what it takes to
 * start says nothing of the card. Then the readings, and what is known of certificates. */
#define TOKEND_READER_ANSWER_TYPE "(aa{sv}" TOKEND_CERTIFICATES_TYPE ")"
#define TOKEND_READER_MESSAGE_MAX (128 * 1024)

/** TokendReaderMessage: what tokend_reader_receive() has found. */
typedef enum {
  TOKEND_READER_MESSAGE_END,  /* of the socket, or nothing that can be understood */
  TOKEND_READER_MESSAGE_NONE, /* yet */
  TOKEND_READER_MESSAGE_BEGUN,
  TOKEND_READER_MESSAGE_CONTENT,
} TokendReaderMessage;

TokendReaderMessage tokend_reader_receive (int socket, int flags, const char *type,
                                           GVariant **content);
gboolean tokend_reader_send (int socket, int flags, GVariant *content);

void tokend_reader_host_run (int socket) G_GNUC_NORETURN;

G_END_DECLS
