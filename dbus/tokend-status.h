/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TOKEND_BUS_NAME "org.tokend.Tokend1"
#define TOKEND_OBJECT_PATH "/org/tokend/Tokend1"
#define TOKEND_TOKENS_PATH TOKEND_OBJECT_PATH "/tokens"
#define TOKEND_OPERATIONS_PATH TOKEND_OBJECT_PATH "/operations"

/* The longest PIN or PUK in bytes: SoftHSM2's limit, the largest known. */
#define TOKEND_CODE_MAX 255

/**
 * TokendRole:
 *
 * Whose code: the user's PIN, or the PUK (in PKCS#11's words, the SO PIN).
 */
typedef enum {
  TOKEND_ROLE_PIN,
  TOKEND_ROLE_PUK,
} TokendRole;
#define TOKEND_N_ROLES 2

/* The polkit actions. */
#define TOKEND_ACTION_READ_STATUS "org.tokend.read-status"
#define TOKEND_ACTION_SET_PIN "org.tokend.set-pin"
#define TOKEND_ACTION_UNLOCK "org.tokend.unlock"

/* The options of Finish; expected-retries is also one of Unlock and SetPin. */
#define TOKEND_OPTION_FINAL_ATTEMPT "final-attempt"
#define TOKEND_OPTION_EXPECTED_RETRIES "expected-retries"
#define TOKEND_OPTION_SEND_REFUSED_CODE "send-refused-code"
#define TOKEND_OPTION_SEND_UNUSUAL_CODE "send-unusual-code"

/* The keys of a status; Token.GetStatus of org.tokend.Tokend1.xml has their types and meanings. */
#define TOKEND_STATUS_LABEL "label"
#define TOKEND_STATUS_MANUFACTURER "manufacturer"
#define TOKEND_STATUS_MODEL "model"
#define TOKEND_STATUS_SERIAL "serial"
#define TOKEND_STATUS_MODULE "module"
#define TOKEND_STATUS_MODULE_PROFILE "module-profile"
#define TOKEND_STATUS_MODULE_PROFILE_MATCH "module-profile-match"
#define TOKEND_STATUS_MODULE_PROFILE_OVERRIDE "module-profile-override"
#define TOKEND_STATUS_PROVIDER "provider"
#define TOKEND_STATUS_PROVIDER_MATCH "provider-match"
#define TOKEND_STATUS_PROVIDER_OVERRIDE "provider-override"
#define TOKEND_STATUS_PIN_STATE "pin-state"
#define TOKEND_STATUS_PUK_STATE "puk-state"
#define TOKEND_STATUS_PIN_REMAINING "pin-retries-remaining"
#define TOKEND_STATUS_PIN_MAXIMUM "pin-retries-maximum"
#define TOKEND_STATUS_PIN_SOURCE "pin-retries-source"
#define TOKEND_STATUS_PIN_MINIMUM "pin-retries-minimum"
#define TOKEND_STATUS_PIN_NEVER_LOCKS "pin-never-locks"
#define TOKEND_STATUS_PIN_FLAG_GONE "pin-flag-gone"
#define TOKEND_STATUS_PUK_REMAINING "puk-retries-remaining"
#define TOKEND_STATUS_PUK_MAXIMUM "puk-retries-maximum"
#define TOKEND_STATUS_PUK_SOURCE "puk-retries-source"
#define TOKEND_STATUS_PUK_MINIMUM "puk-retries-minimum"
#define TOKEND_STATUS_PUK_NEVER_LOCKS "puk-never-locks"
#define TOKEND_STATUS_PUK_FLAG_GONE "puk-flag-gone"
#define TOKEND_STATUS_PIN_MINIMUM_LENGTH "pin-minimum-length"
#define TOKEND_STATUS_PIN_MAXIMUM_LENGTH "pin-maximum-length"
#define TOKEND_STATUS_PIN_CHARACTERS "pin-characters"
#define TOKEND_STATUS_PRESENT_PIN_MINIMUM_LENGTH "present-pin-minimum-length"
#define TOKEND_STATUS_PRESENT_PIN_MAXIMUM_LENGTH "present-pin-maximum-length"
#define TOKEND_STATUS_PRESENT_PIN_USUAL_MINIMUM "present-pin-usual-minimum-length"
#define TOKEND_STATUS_PRESENT_PIN_USUAL_MAXIMUM "present-pin-usual-maximum-length"
#define TOKEND_STATUS_PRESENT_PIN_USUAL_CHARACTERS "present-pin-usual-characters"
#define TOKEND_STATUS_PUK_MINIMUM_LENGTH "puk-minimum-length"
#define TOKEND_STATUS_PUK_MAXIMUM_LENGTH "puk-maximum-length"
#define TOKEND_STATUS_PUK_USUAL_MINIMUM "puk-usual-minimum-length"
#define TOKEND_STATUS_PUK_USUAL_MAXIMUM "puk-usual-maximum-length"
#define TOKEND_STATUS_PUK_USUAL_CHARACTERS "puk-usual-characters"
#define TOKEND_STATUS_PIN_MUST_CHANGE "pin-must-change"
#define TOKEND_STATUS_PIN_LAST_SEEN "pin-last-seen"
#define TOKEND_STATUS_PUK_LAST_SEEN "puk-last-seen"
#define TOKEND_STATUS_PIN_WRONG_SENT "pin-wrong-sent"
#define TOKEND_STATUS_PUK_WRONG_SENT "puk-wrong-sent"
#define TOKEND_STATUS_PIN_MAYBE_LOST "pin-maybe-lost"
#define TOKEND_STATUS_PUK_MAYBE_LOST "puk-maybe-lost"
#define TOKEND_STATUS_PIN_SENT_AT "pin-sent-at"
#define TOKEND_STATUS_PUK_SENT_AT "puk-sent-at"
#define TOKEND_STATUS_PIN_RECORD_LOST "pin-record-lost"
#define TOKEND_STATUS_PUK_RECORD_LOST "puk-record-lost"
#define TOKEND_STATUS_PIN_SENT_ELSEWHERE "pin-sent-elsewhere"
#define TOKEND_STATUS_PUK_SENT_ELSEWHERE "puk-sent-elsewhere"
#define TOKEND_STATUS_PIN_SHARED "pin-shared"
#define TOKEND_STATUS_CAN_SET_PIN "can-set-pin"
#define TOKEND_STATUS_UNSUPPORTED "unsupported"
#define TOKEND_STATUS_CAN_UNLOCK "can-unlock"
#define TOKEND_STATUS_CARD_ID "card-id"
#define TOKEND_STATUS_PIN_ID "pin-id"
#define TOKEND_STATUS_PREFERRED "preferred"
#define TOKEND_STATUS_NO_CERTIFICATE "no-certificate"
#define TOKEND_STATUS_CERTIFICATE_NOT_AFTER "certificate-not-after"
#define TOKEND_STATUS_READ_AT "read-at"
#define TOKEND_STATUS_LEFT_OPEN "left-open"

/**
 * TokendStatusKeys:
 *
 * The keys of one role; the PIN's code rules are those of the present PIN.
 */
typedef struct {
  const char *state, *remaining, *maximum, *source, *minimum, *never_locks, *flag_gone;
  const char *last_seen, *wrong_sent, *maybe_lost, *sent_at, *record_lost, *sent_elsewhere;
  const char *minimum_length, *maximum_length, *usual_minimum, *usual_maximum, *usual_characters;
} TokendStatusKeys;

extern const TokendStatusKeys tokend_status_keys[TOKEND_N_ROLES];

/**
 * TokendState:
 *
 * What is known of a code. The values of the status keys pin-state and puk-state, by nick.
 */
typedef enum {
  TOKEND_STATE_UNKNOWN,       /*< nick=unknown >*/
  TOKEND_STATE_OK,            /*< nick=ok >*/
  TOKEND_STATE_LOW,           /*< nick=low >*/
  TOKEND_STATE_FINAL_TRY,     /*< nick=final-try >*/
  TOKEND_STATE_LOCKED,        /*< nick=locked >*/
  TOKEND_STATE_UNINITIALIZED, /*< nick=uninitialized >*/
} TokendState;

/**
 * TokendRetriesSource:
 *
 * Where a number of retries comes from. The values of the status keys pin-retries-source and
 * puk-retries-source, by nick.
 */
typedef enum {
  TOKEND_RETRIES_SOURCE_NONE,   /*< nick=none >*/
  TOKEND_RETRIES_SOURCE_TOKEN,  /*< nick=token >*/
  TOKEND_RETRIES_SOURCE_FLAGS,  /*< nick=flags >*/
  TOKEND_RETRIES_SOURCE_LEDGER, /*< nick=ledger >*/
} TokendRetriesSource;

/**
 * TokendCharacters:
 *
 * What a PIN may consist of. The values of the status key pin-characters, by nick.
 */
typedef enum {
  TOKEND_CHARACTERS_ANY,    /*< nick=any >*/
  TOKEND_CHARACTERS_DIGITS, /*< nick=digits >*/
} TokendCharacters;

G_END_DECLS
