/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"
#include "tokend-module.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendProfileCode:
 *
 * What a code looks like. Lengths are -1 where nothing is said.
 */
typedef struct {
  int minimum_length;
  int maximum_length;
  int usual_length; /* of a PUK */
  TokendCharacters characters;
  gboolean
      is_documented; /* a document excludes codes of other lengths; else the lengths are a custom */
} TokendProfileCode;

/**
 * TokendProfile:
 *
 * What is known of a kind of token, or of a provider of certificates: a key file NAME.conf.
 * tokend-profiles(5) describes its groups, keys and values, and what each costs if it is wrong.
 */
typedef struct {
  char *name;
  GStrv files;            /* patterns, or NULL: any */
  GStrv manufacturers;    /* the same */
  GStrv models;           /* the same */
  GStrv atrs;             /* the same */
  GStrv issuers;          /* the same; NULL: a module's profile */
  gboolean is_opensc;     /* the module's hosts set OpenSC's configuration */
  gboolean logout_closes; /* OpenSC's C_Logout leaves nothing verified on the card */
  TokendUnlockMethod unlock_method;
  gboolean sets_first_pin; /* unlocking a token without a PIN sets one, and creates nothing */
  TokendWatchMethod watch_method;
  TokendAskMethod ask_method;
  TokendWrongCode wrong_codes[TOKEND_N_ROLES];
  TokendCounterRules rules[TOKEND_N_ROLES];
  TokendProfileCode codes[TOKEND_N_ROLES];
  gboolean change_counts;
  gboolean change_proves;   /* C_SetPIN never answers CKR_OK to a wrong PIN */
  gboolean shared_by_slots; /* the slots of one card have one PIN, and one PUK for it */
  gboolean
      puk_shown_as_pin;    /* the process that tried a wrong PUK is shown its tries as the PIN's */
  GHashTable *environment; /* of char * → char * */
  char *admin_path;        /* the administrator's file of this name, or NULL */
} TokendProfile;

/**
 * TokendLibrary:
 *
 * What a profile says that its module is; key `Library` of the group `Module`.
 */
typedef enum {
  TOKEND_LIBRARY_OTHER,  /*< nick=other >*/
  TOKEND_LIBRARY_OPENSC, /*< nick=opensc >*/
} TokendLibrary;

/**
 * TokendProfileLocation:
 *
 * Where in a file something is wrong.
 */
typedef struct {
  char *group;
  char *key; /* or NULL: the whole group */
} TokendProfileLocation;

/**
 * TokendProfileKey:
 *
 * A key that a profile may have.
 */
typedef struct {
  const char *group;
  const char *key;            /* NULL: any */
  GType (*get_values) (void); /* an enumeration whose nicks are its values, or NULL */
  gboolean is_translated;     /* there may be one for each language: Key[tr] */
} TokendProfileKey;

extern const TokendProfileKey tokend_profile_keys[];
extern const guint tokend_profile_n_keys;

GPtrArray *tokend_profiles_load (const char *directory, const char *admin_directory);
TokendProfile *tokend_profile_parse (const char *name, GKeyFile *key_file,
                                     TokendProfileLocation *location, GError **error);
void tokend_profile_location_clear (TokendProfileLocation *location);
void tokend_profile_free (TokendProfile *profile);

const TokendProfile *tokend_profiles_match (GPtrArray *profiles, const char *module_path,
                                            const char *manufacturer, const char *model,
                                            const char *atr);
GVariant *tokend_profile_explain_match (const TokendProfile *profile, const char *module_path,
                                        const char *manufacturer, const char *model,
                                        const char *atr);
GVariant *tokend_profiles_list_questions (GPtrArray *profiles, const char *module_path);
const TokendProfile *tokend_profiles_match_provider (GPtrArray *profiles, const char *issuer);
GVariant *tokend_profile_explain_provider (const TokendProfile *provider, const char *issuer);
const TokendProfile *tokend_profiles_match_module (GPtrArray *profiles, const char *module_path);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TokendProfileLocation, tokend_profile_location_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendProfile, tokend_profile_free)

G_END_DECLS
