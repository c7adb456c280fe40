/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "warnings.h"

#include <gio/gio.h>
#include <string.h>

/* The group of a key file. It has a key for each certificate, the last one told at the end. The
 * value lists the days before its end at which it was told; 0 for the end itself. */
#define GROUP "Told"
/* The most certificates; a person has a handful in many years. */
#define ENTRIES_MAX 64
/* A larger file is not ours. */
#define SIZE_MAX_READ 65536

static const int days_of_stage[TOKEND_NOTIFY_N_STAGES] = {
  [TOKEND_NOTIFY_STAGE_FAR] = -1, [TOKEND_NOTIFY_STAGE_MONTH] = 30, [TOKEND_NOTIFY_STAGE_WEEK] = 7,
  [TOKEND_NOTIFY_STAGE_DAY] = 1,  [TOKEND_NOTIFY_STAGE_ENDED] = 0,
};

struct _TokendNotifyWarnings {
  char *path;
  GKeyFile *entries; /* also those that could not be written */
};

/**
 * tokend_notify_warnings_new:
 * @path: the file
 *
 * Returns: (transfer full): what was told, as far as is known
 */
TokendNotifyWarnings *
tokend_notify_warnings_new (const char *path)
{
  TokendNotifyWarnings *self = g_new0 (TokendNotifyWarnings, 1);

  self->path = g_strdup (path);
  self->entries = g_key_file_new ();
  return self;
}

void
tokend_notify_warnings_free (TokendNotifyWarnings *self)
{
  g_free (self->path);
  g_key_file_unref (self->entries);
  g_free (self);
}

static guint
get (GKeyFile *entries, const char *certificate)
{
  gsize n_days = 0;
  g_autofree int *days = g_key_file_get_integer_list (entries, GROUP, certificate, &n_days, NULL);
  guint told = 0;

  for (gsize i = 0; i < n_days; i++) {
    for (guint stage = TOKEND_NOTIFY_STAGE_MONTH; stage < TOKEND_NOTIFY_N_STAGES; stage++) {
      if (days_of_stage[stage] == days[i])
        told |= 1u << stage;
    }
  }
  return told;
}

/* Puts the entry at the end. */
static void
set (GKeyFile *entries, const char *certificate, guint told)
{
  int days[TOKEND_NOTIFY_N_STAGES];
  gsize n_days = 0;

  for (guint stage = TOKEND_NOTIFY_STAGE_MONTH; stage < TOKEND_NOTIFY_N_STAGES; stage++) {
    if (told & 1u << stage)
      days[n_days++] = days_of_stage[stage];
  }
  g_key_file_remove_key (entries, GROUP, certificate, NULL);
  g_key_file_set_integer_list (entries, GROUP, certificate, days, n_days);
}

/* Takes what is understood, each certificate once: a key that is there twice could not be removed.
 */
static GKeyFile *
take_entries (GKeyFile *file)
{
  GKeyFile *entries = g_key_file_new ();
  g_auto (GStrv) keys = g_key_file_get_keys (file, GROUP, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++) {
    guint told = get (file, keys[i]);

    if (told != 0)
      set (entries, keys[i], told);
  }
  return entries;
}

static GKeyFile *
load (const char *path)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &error)) {
    if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      g_info ("%s", error->message);
  } else if (length > SIZE_MAX_READ
             || !g_key_file_load_from_data (file, text, length, G_KEY_FILE_NONE, &error)) {
    g_info ("%s is no record of what was told", path);
    return g_key_file_new ();
  }
  return take_entries (file);
}

/* Adds what another session of the same person has written meanwhile. */
static void
merge (TokendNotifyWarnings *self)
{
  GKeyFile *entries = load (self->path);
  g_auto (GStrv) own = g_key_file_get_keys (self->entries, GROUP, NULL, NULL);

  for (guint i = 0; own != NULL && own[i] != NULL; i++) {
    guint known = get (entries, own[i]);
    guint told = known | get (self->entries, own[i]);

    if (told != known)
      set (entries, own[i], told);
  }
  g_key_file_unref (self->entries);
  self->entries = entries;
}

static void
drop_oldest (GKeyFile *entries)
{
  gsize n_keys = 0;
  g_auto (GStrv) keys = g_key_file_get_keys (entries, GROUP, &n_keys, NULL);

  for (gsize i = 0; i + ENTRIES_MAX < n_keys; i++)
    g_key_file_remove_key (entries, GROUP, keys[i], NULL);
}

static gboolean
save (TokendNotifyWarnings *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  gsize length;
  g_autofree char *text = g_key_file_to_data (self->entries, &length, NULL);

  if (g_mkdir_with_parents (folder, 0700) != 0) {
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", folder,
                 g_strerror (errno));
    return FALSE;
  }
  return g_file_set_contents_full (self->path, text, (gssize) length,
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

/**
 * tokend_notify_warnings_get:
 * @certificate: a name for a certificate: letters and digits
 *
 * Returns: a bit, 1 << stage, for each #TokendNotifyStage at which the person was told
 */
guint
tokend_notify_warnings_get (TokendNotifyWarnings *self, const char *certificate)
{
  merge (self);
  return get (self->entries, certificate);
}

/**
 * tokend_notify_warnings_add:
 * @certificate: see tokend_notify_warnings_get()
 * @stage: at which the person was just told
 *
 * Remembers it for this session alone if it cannot be written.
 */
void
tokend_notify_warnings_add (TokendNotifyWarnings *self, const char *certificate,
                            TokendNotifyStage stage)
{
  g_autoptr (GError) error = NULL;

  merge (self);
  set (self->entries, certificate, get (self->entries, certificate) | 1u << stage);
  drop_oldest (self->entries);
  if (!save (self, &error))
    g_info ("What was told will be told again in the next session: %s", error->message);
}
