/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for a token to be put in or taken out, if the setting "slot-events" says that the module
 * can. */
#include "etoken.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

static GMutex alone;

static gboolean
is_setting (const char *value)
{
  g_autofree char *setting =
      g_key_file_get_string (etoken_settings (), "token", "slot-events", NULL);

  return g_strcmp0 (setting, value) == 0;
}

/* A token that is there at the start is an event too, once. */
static gboolean
take_event (void)
{
  static gboolean was_present;
  gboolean is_present = !etoken_fault ("vanish");
  gboolean has_changed = is_present != was_present;

  was_present = is_present;
  return has_changed;
}

/* Until a test writes in the token's folder. */
static void
wait_for_change (int inotify)
{
  struct pollfd change = { .fd = inotify, .events = POLLIN };
  char events[4096];

  if (poll (&change, 1, -1) > 0 && read (inotify, events, sizeof events) < 0)
    abort ();
}

static CK_RV
wait_for_event (void)
{
  int inotify = inotify_init1 (IN_CLOEXEC);

  if (inotify < 0
      || inotify_add_watch (inotify, etoken_folder (), IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE)
             < 0)
    return CKR_GENERAL_ERROR;
  while (!take_event ())
    wait_for_change (inotify);
  close (inotify);
  return CKR_OK;
}

CK_RV
etoken_C_WaitForSlotEvent (CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
  CK_ULONG n_slots = 1;
  CK_RV rv;

  if (is_setting ("alone")) {
    g_mutex_lock (&alone);
    rv = wait_for_event ();
    g_mutex_unlock (&alone);
  } else if (!is_setting ("yes")) {
    return CKR_FUNCTION_NOT_SUPPORTED;
  } else if ((flags & CKF_DONT_BLOCK) != 0) {
    rv = take_event () ? CKR_OK : CKR_NO_EVENT;
  } else {
    rv = wait_for_event ();
  }
  return rv == CKR_OK ? etoken_C_GetSlotList (CK_FALSE, slot, &n_slots) : rv;
}

/**
 * etoken_pass_waiting:
 *
 * Blocks any other call while one waits, in a module that does nothing else meanwhile.
 */
void
etoken_pass_waiting (void)
{
  if (!is_setting ("alone"))
    return;
  g_mutex_lock (&alone);
  g_mutex_unlock (&alone);
}
