/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only file that sends a card a command. It sends no more than the questions below, none of
 * which has a code in it, costs a try, or selects anything. */
#include "card-question.h"

#include <string.h>
#include <winscard.h>

/* How long all questions to a card may take; whoever wants to know waits no longer. */
#define ASK_TIME G_TIME_SPAN_SECOND
/* A question, then GET RESPONSE, each perhaps once more with the right length. */
#define COMMANDS_MAX 4
#define ANSWER_MAX 256
#define STATUS_LENGTH 2
#define STATUS_OK 0x9000

typedef enum {
  QUESTION_OPENPGP_NAME,
  QUESTION_OPENPGP_KDF,
  QUESTION_OPENPGP_TRIES,
  QUESTION_PIV_DISCOVERY,
  QUESTION_PIV_PIN_TRIES,
  QUESTION_YUBIKEY_PIN_TRIES,
  QUESTION_YUBIKEY_PUK_TRIES,
} Question;

typedef struct {
  guint8 bytes[9];
  gsize length;
  gboolean has_data;    /* the command has, so that T=0 does not say how much is expected */
  gboolean is_answered; /* with data; the last byte says how much */
} Command;

typedef struct {
  SCARDHANDLE card;
  DWORD protocol;
  gint64 deadline;
} Talk;

typedef struct {
  guint8 data[ANSWER_MAX];
  gsize length;
  guint16 status;
} Answer;

static Command
get_command (Question question)
{
  static const Command commands[] = {
    [QUESTION_OPENPGP_NAME] = { { 0x00, 0xca, 0x00, 0x4f, 0x00 }, 5, FALSE, TRUE },
    [QUESTION_OPENPGP_KDF] = { { 0x00, 0xca, 0x00, 0xf9, 0x00 }, 5, FALSE, TRUE },
    [QUESTION_OPENPGP_TRIES] = { { 0x00, 0xca, 0x00, 0xc4, 0x00 }, 5, FALSE, TRUE },
    [QUESTION_PIV_DISCOVERY] = { { 0x00, 0xcb, 0x3f, 0xff, 0x03, 0x5c, 0x01, 0x7e, 0x00 },
                                 9,
                                 TRUE,
                                 TRUE },
    [QUESTION_PIV_PIN_TRIES] = { { 0x00, 0x20, 0x00, 0x80 }, 4, FALSE, FALSE },
    [QUESTION_YUBIKEY_PIN_TRIES] = { { 0x00, 0xf7, 0x00, 0x80, 0x00 }, 5, FALSE, TRUE },
    [QUESTION_YUBIKEY_PUK_TRIES] = { { 0x00, 0xf7, 0x00, 0x81, 0x00 }, 5, FALSE, TRUE },
  };

  return commands[question];
}

static Command
get_response_command (guint8 length)
{
  return (Command){ { 0x00, 0xc0, 0x00, 0x00, length }, 5, FALSE, TRUE };
}

/* Appends the data to the answer. T=0 has five bytes at least, and no length behind data. */
static gboolean
transmit (const Talk *talk, const Command *command, Answer *answer)
{
  const gboolean is_t0 = talk->protocol == SCARD_PROTOCOL_T0;
  gsize length = command->length;
  guint8 received[ANSWER_MAX + STATUS_LENGTH];
  DWORD size = sizeof received;

  if (is_t0)
    length = command->has_data ? length - 1 : MAX (length, 5);
  if (g_get_monotonic_time () > talk->deadline
      || SCardTransmit (talk->card, is_t0 ? SCARD_PCI_T0 : SCARD_PCI_T1, command->bytes, length,
                        NULL, received, &size)
             != SCARD_S_SUCCESS
      || size < STATUS_LENGTH || size > sizeof received
      || size - STATUS_LENGTH > ANSWER_MAX - answer->length)
    return FALSE;
  memcpy (answer->data + answer->length, received, size - STATUS_LENGTH);
  answer->length += size - STATUS_LENGTH;
  answer->status = (guint16) (received[size - 2] << 8 | received[size - 1]);
  return TRUE;
}

/* Asks, and fetches the whole answer. Does not send a command again that is answered without data.
 */
static gboolean
ask (const Talk *talk, Question question, Answer *answer)
{
  Command command = get_command (question);

  *answer = (Answer){ .length = 0 };
  for (guint i = 0; i < COMMANDS_MAX; i++) {
    if (!transmit (talk, &command, answer))
      return FALSE;
    if (!command.is_answered)
      return TRUE;
    if (answer->status >> 8 == 0x61)
      command = get_response_command ((guint8) answer->status);
    else if (answer->status >> 8 == 0x6c)
      command.bytes[command.length - 1] = (guint8) answer->status;
    else
      return TRUE;
  }
  return FALSE;
}

static gboolean
ask_for_data (const Talk *talk, Question question, Answer *answer)
{
  return ask (talk, question, answer) && answer->status == STATUS_OK;
}

/* Takes for a no what says that there is no such object, or instruction. */
static gboolean
wants_hashes (const Answer *answer)
{
  const guint8 kind = answer->status >> 8;

  return answer->status == STATUS_OK
             ? tokend_card_answer_wants_hashes (answer->data, answer->length)
             : kind != 0x6a && kind != 0x6b && kind != 0x6d;
}

static void
ask_openpgp (const Talk *talk, const char *serial, TokendCardAnswers *answers)
{
  Answer answer;

  if (!ask_for_data (talk, QUESTION_OPENPGP_NAME, &answer)
      || !tokend_card_answer_is_openpgp (answer.data, answer.length, serial))
    return;
  answers->wants_hashes = !ask (talk, QUESTION_OPENPGP_KDF, &answer) || wants_hashes (&answer);
  if (ask_for_data (talk, QUESTION_OPENPGP_TRIES, &answer))
    tokend_card_answer_take_openpgp_tries (answer.data, answer.length, &answers->pin,
                                           &answers->puk);
}

static TokendCardTries
ask_for_metadata (const Talk *talk, Question question)
{
  Answer answer;

  return ask_for_data (talk, question, &answer)
             ? tokend_card_answer_get_tries_of_metadata (answer.data, answer.length)
             : tokend_card_tries_unknown;
}

/* A YubiKey before firmware 5.3 has no metadata. */
static void
ask_piv (const Talk *talk, gboolean is_yubikey, TokendCardAnswers *answers)
{
  Answer answer;

  if (!ask_for_data (talk, QUESTION_PIV_DISCOVERY, &answer)
      || !tokend_card_answer_is_piv (answer.data, answer.length))
    return;
  if (is_yubikey) {
    answers->pin = ask_for_metadata (talk, QUESTION_YUBIKEY_PIN_TRIES);
    answers->puk = ask_for_metadata (talk, QUESTION_YUBIKEY_PUK_TRIES);
  }
  if (answers->pin.remaining == TOKEND_CARD_NUMBER_UNKNOWN
      && ask (talk, QUESTION_PIV_PIN_TRIES, &answer))
    answers->pin = tokend_card_answer_get_tries_of_verify (answer.status);
}

typedef struct {
  char *reader;
  TokendAskMethod method;
  char *serial;
  gint64 deadline;
  GAsyncQueue *answers;
} Asking;

/* Whether the thread has a transaction: a process that ends in it has pcscd reset the card. */
static gint is_in_transaction;

/* Whether a thread is at it; one that waits for another program's transaction outlives its caller.
 */
static gint is_asking;

static void
ask_in_transaction (const Asking *asking, const Talk *talk, TokendCardAnswers *answers)
{
  switch (asking->method) {
  case TOKEND_ASK_METHOD_NONE:
    break;
  case TOKEND_ASK_METHOD_OPENPGP:
    ask_openpgp (talk, asking->serial, answers);
    break;
  case TOKEND_ASK_METHOD_PIV:
  case TOKEND_ASK_METHOD_YUBIKEY:
    ask_piv (talk, asking->method == TOKEND_ASK_METHOD_YUBIKEY, answers);
    break;
  }
}

/* Ends everything at once when its turn comes too late. */
static void
connect_and_ask (const Asking *asking, TokendCardAnswers *answers)
{
  Talk talk = { .deadline = asking->deadline };
  SCARDCONTEXT context;

  if (SCardEstablishContext (SCARD_SCOPE_SYSTEM, NULL, NULL, &context) != SCARD_S_SUCCESS)
    return;
  if (SCardConnect (context, asking->reader, SCARD_SHARE_SHARED,
                    SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &talk.card, &talk.protocol)
      == SCARD_S_SUCCESS) {
    if (g_get_monotonic_time () < talk.deadline
        && SCardBeginTransaction (talk.card) == SCARD_S_SUCCESS) {
      g_atomic_int_set (&is_in_transaction, TRUE);
      ask_in_transaction (asking, &talk, answers);
      SCardEndTransaction (talk.card, SCARD_LEAVE_CARD);
    }
    SCardDisconnect (talk.card, SCARD_LEAVE_CARD);
  }
  SCardReleaseContext (context);
}

static gpointer
asking_thread (gpointer data)
{
  Asking *asking = data;
  TokendCardAnswers *answers = g_new (TokendCardAnswers, 1);

  *answers = (TokendCardAnswers){ tokend_card_tries_unknown, tokend_card_tries_unknown, FALSE };
  connect_and_ask (asking, answers);
  g_atomic_int_set (&is_in_transaction, FALSE);
  g_atomic_int_set (&is_asking, FALSE);
  g_async_queue_push (asking->answers, answers);
  g_async_queue_unref (asking->answers);
  g_free (asking->reader);
  g_free (asking->serial);
  g_free (asking);
  return NULL;
}

/**
 * tokend_card_ask:
 * @reader: the reader with the card
 * @method: how this kind of card is asked; to another kind a question may be a wrong code
 * @serial: the serial number of the token, as the module gives it
 *
 * Asks the card in a transaction, and first who is there: an OpenPGP card by @serial, a PIV card by
 * its applet. Asks another one nothing. Waits for a second for the transaction, and then for the
 * card, since pcscd resets the card of a process that ends in the middle. pcscd waits for another
 * program's transaction, however long, so this has a thread of its own, and is not done again while
 * that goes on. Costs no try.
 *
 * Returns: what the card has told; nothing that is not known
 */
TokendCardAnswers
tokend_card_ask (const char *reader, TokendAskMethod method, const char *serial)
{
  TokendCardAnswers answers = { tokend_card_tries_unknown, tokend_card_tries_unknown, FALSE };
  g_autofree TokendCardAnswers *told = NULL;
  g_autoptr (GAsyncQueue) queue = NULL;
  Asking *asking;

  if (method == TOKEND_ASK_METHOD_NONE
      || !g_atomic_int_compare_and_exchange (&is_asking, FALSE, TRUE))
    return answers;
  queue = g_async_queue_new_full (g_free);
  asking = g_new0 (Asking, 1);
  asking->reader = g_strdup (reader);
  asking->method = method;
  asking->serial = g_strdup (serial);
  asking->deadline = g_get_monotonic_time () + ASK_TIME;
  asking->answers = g_async_queue_ref (queue);
  g_thread_unref (g_thread_new ("card-question", asking_thread, asking));
  told = g_async_queue_timeout_pop (queue, ASK_TIME);
  if (told == NULL && g_atomic_int_get (&is_in_transaction))
    told = g_async_queue_pop (queue);
  return told != NULL ? *told : answers;
}
