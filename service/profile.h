/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"
#include "tokend-module.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendProfile:
 * What is known of a kind of token, or of a provider of certificates, as data: a key file NAME.conf.
 *
 *   [Match]        lists of globs; a token must match each key that is there
 *   Issuers=       who issued the certificate (RFC 4514): this is a provider's profile, and no other key is of use
 *   Files=         the module's file name, without folders
 *   Manufacturers= CK_TOKEN_INFO.manufacturerID
 *   Models=        CK_TOKEN_INFO.model
 *
 *   [Unlock]
 *   Way=           "none" (default) or "so-login-init-pin"
 *
 *   [Watch]        of the module, so that Files= must select it
 *   Way=           "poll" (default): it is read every second; "readers": its tokens are cards, and pcscd tells when one was
 *                  used
 *
 *   [PIN], [PUK]
 *   Flags=         "none" (default), "exact", "last-only" or "low-only": what the module's flags
 * are worth Maximum=       tries, where the token does not tell NeverLocks=    boolean
 *
 *   [PIN] alone, the policy of a new PIN beside the token's own:
 *   MinimumLength=, MaximumLength=   characters
 *   Characters=    "any" (default) or "digits"
 *   ChangeCounts=  boolean, default true: a wrong present PIN in C_SetPIN costs a try
 *
 *   [Environment]  variables of the module host
 *
 *   [Provider]     what a person is told; read by the clients, see provider.h
 *
 * A file of the same name in the administrator's folder overrides it key by key.
 */
typedef struct {
  char *name;
  GPtrArray *files;         /* of GPatternSpec, or NULL: whatever it is */
  GPtrArray *manufacturers; /* likewise */
  GPtrArray *models;        /* likewise */
  GPtrArray *issuers;       /* likewise; NULL: a module's profile */
  TokendUnlockWay unlock_way;
  TokendWatchWay watch_way;
  TokendCounterRules rules[TOKEND_N_ROLES];
  int pin_minimum_length; /* or -1 */
  int pin_maximum_length; /* or -1 */
  TokendCharacters pin_characters;
  gboolean change_counts;
  GHashTable *environment; /* of char * → char * */
} TokendProfile;

GPtrArray *tokend_profiles_load (const char *directory, const char *admin_directory);
TokendProfile *tokend_profile_parse (const char *name, GKeyFile *key_file, GError **error);
void tokend_profile_free (TokendProfile *profile);

const TokendProfile *tokend_profiles_match (GPtrArray *profiles, const char *module_path,
                                            const char *manufacturer, const char *model);
const TokendProfile *tokend_profiles_match_provider (GPtrArray *profiles, const char *issuer);
const TokendProfile *tokend_profiles_match_module (GPtrArray *profiles, const char *module_path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendProfile, tokend_profile_free)

G_END_DECLS
