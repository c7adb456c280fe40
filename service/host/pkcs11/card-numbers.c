/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a card tells of its tries and codes, and its module does not. */
#include "card-numbers.h"

#include "enum-nick.h"
#include "opensc-module.h"
#include "pcsc.h"
#include "tokend-enums.h"

/* What this process was told at Load: which kinds of cards are asked, and how. */
static GVariant *questions_of_process;

static char *
get_text (const TokendTokenField *field)
{
  return g_utf8_make_valid ((const char *) field->bytes, (gssize) field->length);
}

/* Asks pcscd, and no card. */
static void
look_up_atr (const char *reader, TokendHostReading *reading)
{
  TokendPcsc *pcsc = tokend_pcsc_new ();
  g_autofree char *atr = NULL;

  g_hash_table_unref (tokend_pcsc_list (pcsc));
  atr = tokend_pcsc_get_atr (pcsc, reader);
  tokend_pcsc_free (pcsc);
  g_strlcpy (reading->atr, atr, sizeof reading->atr);
}

static gboolean
matches (GVariant *patterns, const char *text)
{
  const gsize n_patterns = g_variant_n_children (patterns);

  for (gsize i = 0; i < n_patterns; i++) {
    const char *pattern;

    g_variant_get_child (patterns, i, "&s", &pattern);
    if (g_pattern_match_simple (pattern, text))
      return TRUE;
  }
  return n_patterns == 0;
}

/**
 * tokend_card_numbers_choose:
 * @questions: of TOKEND_QUESTIONS_TYPE
 * @identity: of a token
 * @atr: of its card, in hexadecimal; empty: not known
 *
 * Returns: how the first profile that matches says that the card is asked
 */
TokendAskMethod
tokend_card_numbers_choose (GVariant *questions, const TokendTokenIdentity *identity,
                            const char *atr)
{
  g_autofree char *manufacturer = get_text (&identity->manufacturer);
  g_autofree char *model = get_text (&identity->model);

  for (gsize i = 0; i < g_variant_n_children (questions); i++) {
    g_autoptr (GVariant) manufacturers = NULL;
    g_autoptr (GVariant) models = NULL;
    g_autoptr (GVariant) atrs = NULL;
    const char *nick;
    TokendAskMethod method = TOKEND_ASK_METHOD_NONE;

    g_variant_get_child (questions, i, "(@as@as@as&s)", &manufacturers, &models, &atrs, &nick);
    if (!matches (manufacturers, manufacturer) || !matches (models, model) || !matches (atrs, atr))
      continue;
    return tokend_enum_parse (TOKEND_TYPE_ASK_METHOD, nick, &method) ? method
                                                                     : TOKEND_ASK_METHOD_NONE;
  }
  return TOKEND_ASK_METHOD_NONE;
}

static void
take_tries (const TokendCardTries *tries, TokendRetries *retries)
{
  if (tries->remaining != TOKEND_CARD_NUMBER_UNKNOWN)
    *retries = (TokendRetries){ tries->remaining, tries->maximum };
}

/**
 * tokend_card_numbers_apply:
 * @sends_hashes: whether the module sends hashes of codes to a card that wants them
 * @reading: (inout): gets the card's own numbers, and whether it would take a code in clear for a
 *   wrong one
 */
void
tokend_card_numbers_apply (const TokendCardAnswers *answers, gboolean sends_hashes,
                           TokendHostReading *reading)
{
  take_tries (&answers->pin, &reading->pin);
  take_tries (&answers->puk, &reading->puk);
  if (answers->wants_hashes && !sends_hashes)
    reading->flags |= TOKEND_TOKEN_CODES_HASHED;
}

/**
 * tokend_card_numbers_set_questions:
 * @questions: of TOKEND_QUESTIONS_TYPE
 *
 * Says once how this process asks cards; before that it asks none.
 */
void
tokend_card_numbers_set_questions (GVariant *questions)
{
  questions_of_process = g_variant_ref (questions);
}

/**
 * tokend_card_numbers_are_wanted:
 *
 * Returns: whether there are cards to be asked.
 */
gboolean
tokend_card_numbers_are_wanted (void)
{
  return questions_of_process != NULL && g_variant_n_children (questions_of_process) > 0;
}

/* Looks up how the card is asked. Returns: whether it is. */
static gboolean
choose (const char *reader, TokendHostReading *reading, TokendAskMethod *method)
{
  look_up_atr (reader, reading);
  *method = tokend_card_numbers_choose (questions_of_process, &reading->identity, reading->atr);
  return *method != TOKEND_ASK_METHOD_NONE;
}

static TokendCardAnswers
ask (const char *reader, TokendAskMethod method, const TokendHostReading *reading)
{
  g_autofree char *serial = get_text (&reading->identity.serial);

  return tokend_card_ask (reader, method, serial);
}

/**
 * tokend_card_numbers_read:
 * @reader: where the token is
 * @reading: (inout): of a token; gets what its card tells
 *
 * Looks up the ATR, and asks a card of a kind of which a profile says how. Costs no try.
 */
void
tokend_card_numbers_read (const TokendReadFunctions *functions, const char *reader,
                          TokendHostReading *reading)
{
  TokendCardAnswers answers;
  TokendAskMethod method;

  if (!tokend_card_numbers_are_wanted () || !choose (reader, reading, &method))
    return;
  answers = ask (reader, method, reading);
  tokend_card_numbers_apply (&answers, tokend_opensc_sends_hashes (functions), reading);
}

typedef struct {
  TokendAskMethod method;
  TokendCardAnswers answers;
} Asked;

/* Returns: (nullable): what the card of the reading @i has answered for another of its tokens. */
static const Asked *
find_asked (const GArray *readings, guint i, const Asked *asked, TokendAskMethod method)
{
  const TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);

  for (guint j = 0; j < i; j++) {
    const TokendSlotReading *other = &g_array_index (readings, TokendSlotReading, j);

    if (asked[j].method == method && other->reader == reading->reader
        && tokend_token_field_equal (&other->reading.identity.serial,
                                     &reading->reading.identity.serial))
      return &asked[j];
  }
  return NULL;
}

/**
 * tokend_card_numbers_read_all:
 * @readings: (inout) (element-type TokendSlotReading): of tokens whose readers were looked up
 *
 * Does so for each whose reader is known, and asks each card once.
 */
void
tokend_card_numbers_read_all (const TokendReadFunctions *functions, GArray *readings)
{
  g_autofree Asked *asked = g_new0 (Asked, readings->len);

  if (!tokend_card_numbers_are_wanted ())
    return;
  for (guint i = 0; i < readings->len; i++) {
    TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);
    TokendAskMethod method;
    const Asked *before;

    if (reading->reader == NULL || reading->is_other_possible
        || reading->reading.unread != TOKEND_UNREAD_NOT
        || !choose (reading->reader, &reading->reading, &method))
      continue;
    before = find_asked (readings, i, asked, method);
    asked[i].answers =
        before != NULL ? before->answers : ask (reading->reader, method, &reading->reading);
    asked[i].method = method;
    tokend_card_numbers_apply (&asked[i].answers, tokend_opensc_sends_hashes (functions),
                               &reading->reading);
  }
}
