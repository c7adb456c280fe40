/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "certificates.h"
#include "tokend-module.h"

G_BEGIN_DECLS

/* The messages to the host of one reader: first the file name of the module, the name of the reader
 * the environment, and how cards are asked; then for each read what is known of certificates. */
#define TOKEND_READER_SETUP_TYPE "(ssa{ss}" TOKEND_QUESTIONS_TYPE ")"
#define TOKEND_READER_ASK_TYPE TOKEND_CERTIFICATES_TYPE
/* The messages back. One without content tells that a read begins, since the time to start says
 * nothing of the card. Then come why nothing could be read, or an empty text, the readings, and
 * what is known of certificates. */
#define TOKEND_READER_ANSWER_TYPE "(saa{sv}" TOKEND_CERTIFICATES_TYPE ")"
#define TOKEND_READER_MESSAGE_MAX (128 * 1024)

/**
 * TokendReaderMessage:
 *
 * What tokend_reader_receive() has received.
 */
typedef enum {
  TOKEND_READER_MESSAGE_END,  /* the end of the socket, or nonsense */
  TOKEND_READER_MESSAGE_NONE, /* nothing yet */
  TOKEND_READER_MESSAGE_BEGUN,
  TOKEND_READER_MESSAGE_CONTENT,
} TokendReaderMessage;

TokendReaderMessage tokend_reader_receive (int socket, int flags, const char *type,
                                           GVariant **content);
gboolean tokend_reader_send (int socket, int flags, GVariant *content);

void tokend_reader_host_run (int socket) G_GNUC_NORETURN;

G_END_DECLS
