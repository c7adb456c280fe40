/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Answers that make no sense, in what a call hands back. Nothing is written beyond what the caller
 * made room for: a module that does that may as well crash.
 */
#include "etoken.h"

#include <stdarg.h>
#include <string.h>

/* For a size that is asked for without any room yet. */
#define ABSURD_SIZE 0x10000UL
#define ODD_SIZE 3
/* More tries than any token has. */
#define ABSURD_NUMBER 200

/* Text that ends in the middle of a character, with a NUL, a line break and a right-to-left
 * mark. */
static const char odd_text[] = "\xc3\0\n\xe2\x80\xae\x1b[2J\xff\xe2\x80";

static void
fill_with_odd_text (unsigned char *field, gsize size)
{
  for (gsize i = 0; i < size; i++)
    field[i] = (unsigned char) odd_text[i % (sizeof odd_text - 1)];
}

/* "ones" and "zeros"; FALSE for another kind. */
static gboolean
garble_bytes (const char *kind, gpointer data, gsize size)
{
  if (!g_str_equal (kind, "ones") && !g_str_equal (kind, "zeros"))
    return FALSE;
  memset (data, g_str_equal (kind, "ones") ? 0xff : 0, size);
  return TRUE;
}

/* @list: what @count counts, or NULL; @room: how many the caller has room for. */
static void
garble_list (const char *kind, CK_ULONG *list, CK_ULONG room, CK_ULONG *count)
{
  if (list != NULL)
    garble_bytes (kind, list, MIN (*count, room) * sizeof *list);
  if (!garble_bytes (kind, count, sizeof *count))
    *count = room + 1;
}

static void
garble_info (const char *kind, CK_INFO *info)
{
  if (garble_bytes (kind, info, sizeof *info))
    return;
  fill_with_odd_text (info->manufacturerID, sizeof info->manufacturerID);
  fill_with_odd_text (info->libraryDescription, sizeof info->libraryDescription);
}

static void
garble_slot_info (const char *kind, CK_SLOT_INFO *info)
{
  if (!garble_bytes (kind, info, sizeof *info))
    fill_with_odd_text (info->slotDescription, sizeof info->slotDescription);
}

static void
garble_token_info (const char *kind, CK_TOKEN_INFO *info)
{
  if (garble_bytes (kind, info, sizeof *info))
    return;
  if (g_str_equal (kind, "odd")) {
    fill_with_odd_text (info->label, sizeof info->label);
  } else {
    /* The same token still: nothing but its numbers and flags make no sense. */
    info->flags = ~0UL & ~CKF_PROTECTED_AUTHENTICATION_PATH;
    info->ulMinPinLen = CK_UNAVAILABLE_INFORMATION - 1;
    info->ulMaxPinLen = 0;
  }
}

/* One that was given: a caller asks for the size first, and then has just that much room. */
static void
garble_attribute (const char *kind, CK_ATTRIBUTE *attribute)
{
  CK_ULONG number = GUINT64_TO_LE (ABSURD_NUMBER);

  if (g_str_equal (kind, "odd"))
    attribute->ulValueLen = ODD_SIZE;
  else if (g_str_equal (kind, "beyond"))
    attribute->ulValueLen = attribute->pValue != NULL ? attribute->ulValueLen + 1 : ABSURD_SIZE;
  else if (attribute->pValue == NULL)
    garble_bytes (kind, &attribute->ulValueLen, sizeof attribute->ulValueLen);
  else if (!garble_bytes (kind, attribute->pValue, attribute->ulValueLen))
    memcpy (attribute->pValue, &number, MIN (sizeof number, attribute->ulValueLen));
}

#define SKIP(arguments, type) ((void) va_arg (arguments, type))

static void
garble_slot_list (const char *kind, va_list arguments)
{
  CK_SLOT_ID *slots;
  CK_ULONG *count;

  SKIP (arguments, int);
  slots = va_arg (arguments, CK_SLOT_ID *);
  count = va_arg (arguments, CK_ULONG *);
  garble_list (kind, slots, *count, count);
}

static void
garble_session (const char *kind, va_list arguments)
{
  SKIP (arguments, CK_SLOT_ID);
  SKIP (arguments, CK_FLAGS);
  SKIP (arguments, void *);
  SKIP (arguments, CK_NOTIFY);
  garble_bytes (kind, va_arg (arguments, CK_SESSION_HANDLE *), sizeof (CK_SESSION_HANDLE));
}

static void
garble_objects (const char *kind, va_list arguments)
{
  CK_OBJECT_HANDLE *objects;
  CK_ULONG room;

  SKIP (arguments, CK_SESSION_HANDLE);
  objects = va_arg (arguments, CK_OBJECT_HANDLE *);
  room = va_arg (arguments, CK_ULONG);
  garble_list (kind, objects, room, va_arg (arguments, CK_ULONG *));
}

static void
garble_attributes (const char *kind, va_list arguments)
{
  CK_ATTRIBUTE *attributes;
  CK_ULONG count;

  SKIP (arguments, CK_SESSION_HANDLE);
  SKIP (arguments, CK_OBJECT_HANDLE);
  attributes = va_arg (arguments, CK_ATTRIBUTE *);
  count = va_arg (arguments, CK_ULONG);
  for (CK_ULONG i = 0; i < count; i++)
    garble_attribute (kind, &attributes[i]);
}

/**
 * etoken_garble:
 * @n: which call of @function in this process it is, from 1.
 * @...: the arguments of the call, which has been made and answers CKR_OK.
 *
 * Makes garbage of what the call hands back, if it was told so and the call hands back anything.
 * Returns: whether it did.
 */
gboolean
etoken_garble (EtokenFunction function, guint n, ...)
{
  g_autofree char *kind = etoken_fault_garbage (function, n);
  gboolean garbled = TRUE;
  va_list arguments;

  if (kind == NULL)
    return FALSE;
  va_start (arguments, n);
  switch ((guint) function) {
  case ETOKEN_C_GetFunctionList:
    garble_bytes (kind, va_arg (arguments, void **), sizeof (void *));
    break;
  case ETOKEN_C_GetInfo:
    garble_info (kind, va_arg (arguments, CK_INFO *));
    break;
  case ETOKEN_C_GetSlotList:
    garble_slot_list (kind, arguments);
    break;
  case ETOKEN_C_GetSlotInfo:
    SKIP (arguments, CK_SLOT_ID);
    garble_slot_info (kind, va_arg (arguments, CK_SLOT_INFO *));
    break;
  case ETOKEN_C_GetTokenInfo:
    SKIP (arguments, CK_SLOT_ID);
    garble_token_info (kind, va_arg (arguments, CK_TOKEN_INFO *));
    break;
  case ETOKEN_C_OpenSession:
    garble_session (kind, arguments);
    break;
  case ETOKEN_C_FindObjects:
    garble_objects (kind, arguments);
    break;
  case ETOKEN_C_GetAttributeValue:
    garble_attributes (kind, arguments);
    break;
  default:
    garbled = FALSE;
    break;
  }
  va_end (arguments);
  return garbled;
}
