/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"
#include "tokend-module.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendProfileCode:
 *
 * What a code is like. Lengths are -1 where nothing is said.
 */
typedef struct {
  int minimum_length;
  int maximum_length;
  int usual_length; /* of a PUK */
  TokendCharacters characters;
  gboolean is_documented; /* no code of another length can be right; else that is a custom */
} TokendProfileCode;

/**
 * TokendProfile:
 *
 * What is known of a kind of token, or of a provider of certificates, as data: a key file
 * NAME.conf. Its groups, keys and values, and what each costs if it is wrong, stand in
 * tokend-profiles(5).
 */
typedef struct {
  char *name;
  GPtrArray *files;         /* of GPatternSpec, or NULL: whatever it is */
  GPtrArray *manufacturers; /* likewise */
  GPtrArray *models;        /* likewise */
  GPtrArray *issuers;       /* likewise; NULL: a module's profile */
  gboolean is_opensc;       /* the module's hosts bring a configuration of OpenSC's along */
  TokendUnlockMethod unlock_method;
  gboolean sets_first_pin; /* where there is no PIN yet, that sets one, and creates nothing */
  TokendWatchWay watch_way;
  TokendWrongCode wrong_codes[TOKEND_N_ROLES];
  TokendCounterRules rules[TOKEND_N_ROLES];
  TokendProfileCode codes[TOKEND_N_ROLES];
  gboolean change_counts;
  gboolean shared_by_slots;  /* the slots of one card have one PIN, and one PUK for it */
  gboolean puk_shown_as_pin; /* to the process that tried a wrong one */
  GHashTable *environment;   /* of char * → char * */
  char *admin_path;          /* the administrator's file of this name, or NULL: there is none */
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
  char *key; /* or NULL: the group as a whole */
} TokendProfileLocation;

/**
 * TokendProfileKey:
 *
 * A key that there is.
 */
typedef struct {
  const char *group;
  const char *key;            /* NULL: whatever it is called */
  GType (*get_values) (void); /* an enumeration whose nicks are its values, or NULL */
  gboolean is_translated;     /* may be there once more a language: Key[tr] */
} TokendProfileKey;

extern const TokendProfileKey tokend_profile_keys[];
extern const guint tokend_profile_n_keys;

GPtrArray *tokend_profiles_load (const char *directory, const char *admin_directory);
TokendProfile *tokend_profile_parse (const char *name, GKeyFile *key_file,
                                     TokendProfileLocation *location, GError **error);
void tokend_profile_location_clear (TokendProfileLocation *location);
void tokend_profile_free (TokendProfile *profile);

const TokendProfile *tokend_profiles_match (GPtrArray *profiles, const char *module_path,
                                            const char *manufacturer, const char *model);
GVariant *tokend_profile_explain_match (const TokendProfile *profile, const char *module_path,
                                        const char *manufacturer, const char *model);
const TokendProfile *tokend_profiles_match_provider (GPtrArray *profiles, const char *issuer);
GVariant *tokend_profile_explain_provider (const TokendProfile *provider, const char *issuer);
const TokendProfile *tokend_profiles_match_module (GPtrArray *profiles, const char *module_path);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TokendProfileLocation, tokend_profile_location_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendProfile, tokend_profile_free)

G_END_DECLS
