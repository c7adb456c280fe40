/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tokend-status.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendCodeKind:
 *
 * What a code is for.
 */
typedef enum {
  TOKEND_CODE_KIND_PRESENT, /* a PUK or present PIN: another program may have set it */
  TOKEND_CODE_KIND_NEW,     /* a PIN to be set */
} TokendCodeKind;

/**
 * TokendCodeAnswer:
 *
 * What to do with a code, from the mildest answer to the strictest.
 */
typedef enum {
  TOKEND_CODE_SEND,
  TOKEND_CODE_ASK,    /* the clients ask; the service sends it */
  TOKEND_CODE_REFUSE, /* not without the option send-unusual-code */
  TOKEND_CODE_NEVER,
} TokendCodeAnswer;

/**
 * TokendCodeFinding:
 *
 * What is wrong with a code.
 */
typedef enum {
  TOKEND_CODE_NOTHING,
  TOKEND_CODE_EMPTY,
  TOKEND_CODE_TOO_LONG, /* more than TOKEND_CODE_MAX bytes */
  TOKEND_CODE_ENDS_WITH_NEWLINE,
  TOKEND_CODE_ENDS_WITH_RETURN, /* of a file whose lines end with CR LF */
  TOKEND_CODE_NOT_UTF8,
  TOKEND_CODE_CONTROL,   /* NUL and the category Cc */
  TOKEND_CODE_BLANK,     /* a category Z*, or U+0020 that is not between two other characters */
  TOKEND_CODE_INVISIBLE, /* the category Cf, or Default_Ignorable_Code_Point */
  TOKEND_CODE_UNDEFINED, /* the categories Cn, Co and Cs */
  TOKEND_CODE_NOT_ASCII, /* any other character beyond U+007E */
  TOKEND_CODE_TOO_SHORT, /* for this token, as are the following */
  TOKEND_CODE_TOO_LONG_HERE,
  TOKEND_CODE_UNUSUAL_LENGTH,
  TOKEND_CODE_UNUSUAL_CHARACTERS,
} TokendCodeFinding;

/**
 * TokendCodeLimits:
 *
 * Both inclusive; 0: not known.
 */
typedef struct {
  guint minimum;
  guint maximum;
} TokendCodeLimits;

/**
 * TokendCodeRules:
 *
 * What is known of the PUK or the present PIN of a token.
 */
typedef struct {
  TokendCodeLimits length;           /* in bytes: no other can be right */
  TokendCodeLimits usual_length;     /* in characters: a custom */
  TokendCharacters usual_characters; /* a custom */
} TokendCodeRules;

/**
 * TokendNewPinRules:
 *
 * What a new PIN has to be.
 */
typedef struct {
  TokendCodeLimits characters_limits; /* in characters: the provider's and the token's rule */
  TokendCodeLimits bytes_limits;      /* in bytes: what the token accepts */
  TokendCharacters characters;
} TokendNewPinRules;

/**
 * TokendNewPinFinding:
 *
 * The rule that a new PIN breaks.
 */
typedef enum {
  TOKEND_NEW_PIN_KEEPS_ALL,
  TOKEND_NEW_PIN_NOT_DIGITS,
  TOKEND_NEW_PIN_LENGTH_IN_CHARACTERS,
  TOKEND_NEW_PIN_LENGTH_IN_BYTES,
} TokendNewPinFinding;

/**
 * TokendCodeResult:
 *
 * The result of tokend_code_validate(), with nothing of the code.
 */
typedef struct {
  TokendCodeAnswer answer;
  TokendCodeFinding finding;
  guint position;          /* how many characters come before the one that was found */
  TokendCodeLimits limits; /* of the length, if that was found */
} TokendCodeResult;

/**
 * TokendTranslate:
 *
 * Translates a text of this library, as gettext() does.
 */
typedef const char *(*TokendTranslate) (const char *text) G_GNUC_FORMAT (1);

gboolean tokend_code_is_seen (gunichar c);
TokendCodeResult tokend_code_validate (const char *bytes, gsize length, TokendCodeKind kind);
TokendCodeResult tokend_code_validate_by_rules (const char *bytes, gsize length,
                                                const TokendCodeRules *rules);
TokendNewPinFinding tokend_new_pin_validate (const char *bytes, gsize length,
                                             const TokendNewPinRules *rules);
const char *tokend_code_describe_same (gboolean is_puk, TokendTranslate translate);
char *tokend_code_result_describe (const TokendCodeResult *result, TokendTranslate translate);

G_END_DECLS
