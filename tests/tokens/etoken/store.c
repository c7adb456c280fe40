/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The folder that a token lives in: its settings, its counters, and the SoftHSM2 below it. */
#include "etoken.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/**
 * etoken_folder:
 * Returns: (transfer none): the folder that this copy of the module was loaded from.
 */
const char *
etoken_folder (void)
{
  static char *folder;

  if (g_once_init_enter (&folder)) {
    Dl_info info;
    char *found = NULL;

    if (dladdr (&etoken_functions, &info) != 0)
      found = g_path_get_dirname (info.dli_fname);
    g_once_init_leave (&folder, found != NULL ? found : g_strdup ("."));
  }
  return folder;
}

char *
etoken_file (const char *name)
{
  return g_build_filename (etoken_folder (), name, NULL);
}

/**
 * etoken_softhsm:
 * Returns: (nullable): the functions of this token's own copy of SoftHSM2. A copy, because a
 * library is loaded once in a process, and then two eTokens in one process would have one store.
 */
CK_FUNCTION_LIST *
etoken_softhsm (void)
{
  static gsize loaded;
  static CK_FUNCTION_LIST *functions;

  if (g_once_init_enter (&loaded)) {
    g_autofree char *path = etoken_file ("softhsm/libsofthsm2.so");
    void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get_function_list =
        library != NULL ? (CK_C_GetFunctionList) dlsym (library, "C_GetFunctionList") : NULL;

    if (get_function_list != NULL)
      get_function_list (&functions);
    g_once_init_leave (&loaded, 1);
  }
  return functions;
}

/**
 * etoken_softhsm_initialize:
 *
 * C_Initialize of SoftHSM2, with this token's store.
 */
CK_RV
etoken_softhsm_initialize (void *init_args)
{
  g_autofree char *configuration = etoken_file ("softhsm/softhsm2.conf");
  g_autofree char *before = g_strdup (g_getenv ("SOFTHSM2_CONF"));
  CK_RV rv;

  g_setenv ("SOFTHSM2_CONF", configuration, TRUE);
  rv = etoken_softhsm ()->C_Initialize (init_args);
  if (before != NULL)
    g_setenv ("SOFTHSM2_CONF", before, TRUE);
  else
    g_unsetenv ("SOFTHSM2_CONF");
  return rv;
}

/**
 * etoken_settings:
 * Returns: (transfer none): token.conf, as it was when first asked for.
 */
GKeyFile *
etoken_settings (void)
{
  static GKeyFile *settings;

  if (g_once_init_enter (&settings)) {
    g_autofree char *path = etoken_file ("token.conf");
    GKeyFile *file = g_key_file_new ();

    g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);
    g_once_init_leave (&settings, file);
  }
  return settings;
}

/**
 * etoken_state_open:
 * @for_writing: nobody else sees or changes the counters until etoken_state_close().
 *
 * Returns: FALSE if the state cannot be read; then there is nothing to close.
 */
gboolean
etoken_state_open (EtokenState *state, gboolean for_writing)
{
  g_autofree char *path = etoken_file ("state");
  char text[64] = "";

  state->fd = open (path, O_RDWR | O_CLOEXEC);
  if (state->fd < 0)
    return FALSE;
  if (flock (state->fd, for_writing ? LOCK_EX : LOCK_SH) == 0
      && pread (state->fd, text, sizeof text - 1, 0) > 0
      && sscanf (text, "pin %u puk %u", &state->remaining[ETOKEN_PIN],
                 &state->remaining[ETOKEN_PUK])
             == 2)
    return TRUE;

  close (state->fd);
  return FALSE;
}

/**
 * etoken_state_write:
 *
 * One write of the same length each time, so that a process that dies leaves no half of it.
 */
void
etoken_state_write (EtokenState *state)
{
  g_autofree char *text = g_strdup_printf ("pin %u puk %u\n", state->remaining[ETOKEN_PIN],
                                           state->remaining[ETOKEN_PUK]);

  if (pwrite (state->fd, text, strlen (text), 0) != (ssize_t) strlen (text))
    abort ();
}

void
etoken_state_close (EtokenState *state)
{
  close (state->fd);
}

/* SoftHSM2 looks at a store's files again when this number, 8 bytes big-endian, is not what it was.
 */
static void
bump_generation (const char *token_folder)
{
  g_autofree char *path = g_build_filename (token_folder, "generation", NULL);
  int fd = open (path, O_RDWR | O_CLOEXEC);
  uint64_t generation = 0;
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

  if (fd < 0)
    return;
  if (fcntl (fd, F_SETLKW, &lock) == 0 && pread (fd, &generation, sizeof generation, 0) > 0) {
    generation = GUINT64_FROM_BE (generation) + 1;
    generation = GUINT64_TO_BE (generation);
    if (pwrite (fd, &generation, sizeof generation, 0) != sizeof generation)
      abort ();
  }
  close (fd);
}

/**
 * etoken_destroy_objects:
 *
 * What the third wrong PUK does to the certificate and its keys. Their files are removed: SoftHSM2
 * itself would want the PIN for it.
 */
void
etoken_destroy_objects (void)
{
  g_autofree char *store = etoken_file ("softhsm/tokens");
  g_autoptr (GDir) tokens = g_dir_open (store, 0, NULL);
  const char *token;

  while (tokens != NULL && (token = g_dir_read_name (tokens)) != NULL) {
    g_autofree char *folder = g_build_filename (store, token, NULL);
    g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
    const char *file;

    while (files != NULL && (file = g_dir_read_name (files)) != NULL) {
      if (g_str_has_suffix (file, ".object") && !g_str_equal (file, "token.object")) {
        g_autofree char *path = g_build_filename (folder, file, NULL);
        unlink (path);
      }
    }
    bump_generation (folder);
  }
}
