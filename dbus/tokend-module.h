/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TOKEND_MODULE_OBJECT_PATH "/org/tokend/Module1"
#define TOKEND_WATCH_SOCKET "watch.sock"
#define TOKEND_OPERATE_SOCKET "operate.sock"

/* The field `unread` of a reading when another program is using the card. */
#define TOKEND_MODULE_UNREAD_BUSY "busy"

/* The most tokens of a module; a longer list is cut. */
#define TOKEND_MODULE_TOKENS_MAX 64

/**
 * TokendTokenFlags:
 *
 * The flags of CK_TOKEN_INFO (PKCS#11 2.40, 3.2) that tokend uses, and what only vendor objects
 * tell. The field `flags` of a reading.
 */
typedef enum {
  TOKEND_TOKEN_PIN_COUNT_LOW = 1 << 0,   /* CKF_USER_PIN_COUNT_LOW */
  TOKEND_TOKEN_PIN_FINAL_TRY = 1 << 1,   /* CKF_USER_PIN_FINAL_TRY */
  TOKEND_TOKEN_PIN_LOCKED = 1 << 2,      /* CKF_USER_PIN_LOCKED */
  TOKEND_TOKEN_PIN_MUST_CHANGE = 1 << 3, /* CKF_USER_PIN_TO_BE_CHANGED */
  TOKEND_TOKEN_PIN_INITIALIZED = 1 << 4, /* CKF_USER_PIN_INITIALIZED */
  TOKEND_TOKEN_PUK_COUNT_LOW = 1 << 5,   /* CKF_SO_PIN_COUNT_LOW */
  TOKEND_TOKEN_PUK_FINAL_TRY = 1 << 6,   /* CKF_SO_PIN_FINAL_TRY */
  TOKEND_TOKEN_PUK_LOCKED = 1 << 7,      /* CKF_SO_PIN_LOCKED */
  TOKEND_TOKEN_PIN_PAD = 1 << 8,         /* CKF_PROTECTED_AUTHENTICATION_PATH */
  TOKEND_TOKEN_NO_PUK = 1 << 9,          /* none has been set */
  TOKEND_TOKEN_PIN_COMPLEX = 1 << 10,    /* the token's own policy: digits alone are not enough */
  TOKEND_TOKEN_PIN_TRIES_HIDDEN =
      1 << 11, /* the flags of the PIN are another code's and are not told */
  TOKEND_TOKEN_CODES_HASHED =
      1 << 12, /* it wants hashes of codes, which the module does not send */
} TokendTokenFlags;

/**
 * TokendDoubt:
 *
 * Why there may be a token besides those that a read tells of, the worst reason last. What Read of
 * org.tokend.Module1 answers, by nick.
 */
typedef enum {
  TOKEND_DOUBT_NONE,          /*< nick=none >*/
  TOKEND_DOUBT_UNKNOWN_CARD,  /*< nick=unknown-card >*/
  TOKEND_DOUBT_UNREAD_CARD,   /*< nick=unread-card >*/
  TOKEND_DOUBT_HIDDEN_CARD,   /*< nick=hidden-card >*/
  TOKEND_DOUBT_PCSCD_REFUSES, /*< nick=pcscd-refuses >*/
  TOKEND_DOUBT_PCSCD_ABSENT,  /*< nick=pcscd-absent >*/
} TokendDoubt;

/**
 * TokendOutcome:
 *
 * The outcome of sending a code. The field `result` of org.tokend.Module1.Operation.Commit, by
 * nick.
 */
typedef enum {
  TOKEND_OUTCOME_DONE,            /*< nick=done >*/
  TOKEND_OUTCOME_CODE_INCORRECT,  /*< nick=code-incorrect >*/
  TOKEND_OUTCOME_CODE_LOCKED,     /*< nick=code-locked >*/
  TOKEND_OUTCOME_NEW_PIN_REFUSED, /*< nick=new-pin-refused >*/
  TOKEND_OUTCOME_LENGTH_REFUSED,  /*< nick=length-refused >*/
  TOKEND_OUTCOME_CHANGED,         /*< nick=changed >*/
  TOKEND_OUTCOME_TOKEN_REMOVED,   /*< nick=token-removed >*/
  TOKEND_OUTCOME_FAILED,          /*< nick=failed >*/
} TokendOutcome;

/**
 * TokendUnlockMethod:
 *
 * How a module sets a new PIN by the PUK; the profile key `Way` of the group `Unlock`, by nick.
 * OpenSC needs a configuration for either of its methods, see opensc-configuration.h.
 */
typedef enum {
  TOKEND_UNLOCK_METHOD_NONE,                     /*< nick=none >*/
  TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN,        /*< nick=so-login-init-pin >*/
  TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN, /*< nick=opensc-so-login-init-pin >*/
  TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN,           /*< nick=opensc-set-pin >*/
} TokendUnlockMethod;

/**
 * TokendWrongCode:
 *
 * What a module answers where the card refuses a code; the profile key `WrongCode`, by nick.
 */
typedef enum {
  TOKEND_WRONG_CODE_PIN_INCORRECT,      /*< nick=pin-incorrect >*/
  TOKEND_WRONG_CODE_USER_NOT_LOGGED_IN, /*< nick=user-not-logged-in >*/
} TokendWrongCode;

/**
 * TokendWatchMethod:
 *
 * How another program's use of a token is noticed; the profile key `Way` of the group
 * `Watch`, by nick.
 */
typedef enum {
  TOKEND_WATCH_METHOD_POLL,    /*< nick=poll >*/
  TOKEND_WATCH_METHOD_READERS, /*< nick=readers >*/
} TokendWatchMethod;

/**
 * TokendAskMethod:
 *
 * How a card is asked what its module does not tell; the profile key `Way` of the group `Ask`, by
 * nick.
 */
typedef enum {
  TOKEND_ASK_METHOD_NONE,    /*< nick=none >*/
  TOKEND_ASK_METHOD_OPENPGP, /*< nick=openpgp >*/
  TOKEND_ASK_METHOD_PIV,     /*< nick=piv >*/
  TOKEND_ASK_METHOD_YUBIKEY, /*< nick=yubikey >*/
} TokendAskMethod;

/* The profiles of a module, the one that matches first before the others: patterns of
 * manufacturers, models and ATRs, an empty list for any, and a TokendAskMethod by nick. The
 * argument `questions` of Load of org.tokend.Module1. */
#define TOKEND_QUESTIONS_TYPE "a(asasass)"

G_END_DECLS
