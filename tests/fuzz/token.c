/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificates.h"
#include "fuzz.h"
#include "slots.h"
#include "tokend-module.h"

#include <string.h>

/* A PKCS#11 module that says what the input says, right or wrong. It writes where it may write, and
 * there alone: what a module can do to the process that it is loaded into is not for the host to
 * prevent. */
static FuzzInput module;
static guint open_sessions;

/* CKR_OK far more often than not: else nothing would ever be read. */
static CK_RV
answer (void)
{
  const guint8 byte = fuzz_take_byte (&module);

  return byte < 0xf0 ? CKR_OK : (CK_RV) byte;
}

static void
fill (void *room, gsize size)
{
  const gsize given = MIN (size, module.size);

  memcpy (room, module.data, given);
  module.data += given;
  module.size -= given;
}

static CK_RV
get_slot_list (CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
  const CK_ULONG room = *count;

  *count = fuzz_take_number (&module);
  for (CK_ULONG i = 0; list != NULL && i < MIN (room, *count); i++)
    list[i] = i;
  return answer ();
}

static CK_RV
get_token_info (CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
  fill (info, sizeof *info);
  /* The family whose numbers are read. */
  if (fuzz_take_flag (&module)) {
    memset (info->manufacturerID, ' ', sizeof info->manufacturerID);
    memcpy (info->manufacturerID, "SafeNet, Inc.", strlen ("SafeNet, Inc."));
    memset (info->model, ' ', sizeof info->model);
    memcpy (info->model, "eToken", strlen ("eToken"));
  }
  return answer ();
}

static CK_RV
open_session (CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
              CK_SESSION_HANDLE *session)
{
  CK_RV rv = answer ();

  g_assert_cmpuint (flags, ==, CKF_SERIAL_SESSION);
  *session = slot;
  if (rv == CKR_OK)
    open_sessions++;
  return rv;
}

static CK_RV
close_session (CK_SESSION_HANDLE session)
{
  g_assert_cmpuint (open_sessions, >, 0);
  open_sessions--;
  return answer ();
}

static CK_RV
find_objects_init (CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
  return answer ();
}

static CK_RV
find_objects (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG room, CK_ULONG *count)
{
  *count = fuzz_take_number (&module);
  for (CK_ULONG i = 0; i < MIN (room, *count); i++)
    objects[i] = i;
  return answer ();
}

static CK_RV
find_objects_final (CK_SESSION_HANDLE session)
{
  return answer ();
}

static CK_RV
get_attribute_value (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attribute,
                     CK_ULONG count)
{
  const CK_ULONG room = attribute->ulValueLen;

  attribute->ulValueLen = fuzz_take_number (&module);
  if (attribute->pValue != NULL)
    fill (attribute->pValue, MIN (room, attribute->ulValueLen));
  return answer ();
}

static const TokendReadFunctions functions = {
  .get_slot_list = get_slot_list,
  .get_token_info = get_token_info,
  .open_session = open_session,
  .close_session = close_session,
  .find_objects_init = find_objects_init,
  .find_objects = find_objects,
  .find_objects_final = find_objects_final,
  .get_attribute_value = get_attribute_value,
};

static guint
look_up (GVariant *reading, const char *key)
{
  guint32 number = G_MAXUINT32;

  if (g_variant_lookup (reading, key, "u", &number))
    g_assert_cmpuint (number, <=, 255);
  return number;
}

static void
check_reading (GVariant *reading)
{
  const char *issuer = NULL;
  guint64 end;

  g_assert_cmpuint (look_up (reading, "pin-minimum-length"), <=, G_MAXUINT32);
  look_up (reading, "pin-maximum-length");
  look_up (reading, "new-pin-maximum-length");
  if (look_up (reading, "pin-retries-maximum") != G_MAXUINT32
      && look_up (reading, "pin-retries-remaining") != G_MAXUINT32)
    g_assert_cmpuint (look_up (reading, "pin-retries-remaining"), <=,
                      look_up (reading, "pin-retries-maximum"));
  if (g_variant_lookup (reading, "certificate-issuer", "&s", &issuer))
    g_assert_true (g_utf8_validate (issuer, -1, NULL));
  if (g_variant_lookup (reading, "certificate-not-after", "t", &end))
    g_assert_true (end > 0 && end <= G_MAXINT64);
}

/* What a watching host reads, twice: as when a token was put in, and as when it stayed. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GArray) last = NULL;

  module = (FuzzInput){ data, size };
  for (guint round = 0; round < 2; round++) {
    g_autoptr (GVariant) readings =
        tokend_slots_read_all (&functions, certificates, NULL, &last, NULL);

    g_assert_cmpuint (open_sessions, ==, 0);
    if (readings == NULL)
      continue;
    g_variant_ref_sink (readings);
    g_assert_cmpuint (g_variant_n_children (readings), <=, TOKEND_MODULE_TOKENS_MAX);
    for (gsize i = 0; i < g_variant_n_children (readings); i++) {
      g_autoptr (GVariant) reading = g_variant_get_child_value (readings, i);

      check_reading (reading);
    }
  }
  return 0;
}
