/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-token.h"

#include <string.h>

FakeToken fake;

static void
fill (CK_UTF8CHAR *field, gsize size, const char *text)
{
  memset (field, ' ', size);
  memcpy (field, text, MIN (strlen (text), size));
}

void
fake_fill (CK_TOKEN_INFO *info, const char *manufacturer, const char *model, const char *serial,
           const char *label)
{
  fill (info->manufacturerID, sizeof info->manufacturerID, manufacturer);
  fill (info->model, sizeof info->model, model);
  fill (info->serialNumber, sizeof info->serialNumber, serial);
  fill (info->label, sizeof info->label, label);
  info->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;
  info->ulMinPinLen = 4;
  info->ulMaxPinLen = 8;
}

void
fake_reset (void)
{
  if (fake.calls != NULL)
    g_string_free (fake.calls, TRUE);
  memset (&fake, 0, sizeof fake);
  fake.calls = g_string_new (NULL);
  fake.n_slots = 1;
  fake.slot_flags = CKF_TOKEN_PRESENT;
  fake_fill (&fake.info[0], "Maker", "Model", "0001", "LABEL");
}

void
fake_add_attribute (CK_ULONG feature, CK_ATTRIBUTE_TYPE type, guint64 value, CK_ULONG width)
{
  fake.attributes[fake.n_attributes++] = (FakeAttribute){ feature, type, value, width };
}

static CK_RV
get_info (CK_INFO *info)
{
  if (fake.manufacturer != NULL)
    fill (info->manufacturerID, sizeof info->manufacturerID, fake.manufacturer);
  return CKR_OK;
}

static CK_RV
get_slot_info (CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
  fake.n_slot_info++;
  if (fake.before_slot_info != NULL)
    fake.before_slot_info ();
  info->flags = fake.slot_flags;
  return fake.slot_rv;
}

static CK_RV
get_slot_list (CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
  CK_ULONG n = fake.n_slots;

  g_assert_true (present);
  if (fake.slot_list_rv != CKR_OK)
    return fake.slot_list_rv;
  if (list == NULL) {
    *count = fake.grows > 0 ? n - 1 : n;
    return CKR_OK;
  }
  if (fake.grows > 0)
    fake.grows--;

  if (fake.lies) {
    *count += 1;
    return CKR_OK;
  }
  if (*count < n) {
    *count = n;
    return CKR_BUFFER_TOO_SMALL;
  }
  for (CK_ULONG i = 0; i < n; i++)
    list[i] = 100 + i;
  *count = n;
  return CKR_OK;
}

static CK_RV
get_token_info (CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
  g_assert_cmpuint (slot, >=, 100);
  g_assert_cmpuint (slot, <, 100 + fake.n_slots);
  fake.n_info++;
  if (fake.before_info != NULL)
    fake.before_info ();
  if (fake.n_info == fake.fail_info_at)
    return CKR_DEVICE_ERROR;
  *info = fake.info[slot - 100];
  return fake.info_rv[slot - 100];
}

static CK_RV
open_session (CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
              CK_SESSION_HANDLE *session)
{
  if (fake.open_session_rv != CKR_OK)
    return fake.open_session_rv;
  fake.session_flags = flags;
  fake.open_sessions++;
  *session = slot;
  return CKR_OK;
}

static CK_RV
close_session (CK_SESSION_HANDLE session)
{
  fake.open_sessions--;
  return CKR_OK;
}

static CK_RV
find_objects_init (CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
  g_assert_cmpuint (fake.feature_searched, ==, 0);
  if (fake.find_init_rv != CKR_OK)
    return fake.find_init_rv;
  g_assert_cmpuint (template[0].type, ==, CKA_CLASS);
  if (*(CK_OBJECT_CLASS *) template[0].pValue == CKO_CERTIFICATE) {
    g_assert_cmpuint (count, ==, 1);
    fake.feature_searched = FAKE_CERTIFICATE;
    fake.n_found = 0;
    if (fake.meanwhile != NULL)
      fake.meanwhile ();
    return CKR_OK;
  }
  fake.n_feature_searches++;
  if (fake.n_feature_searches == fake.fail_find_at)
    return CKR_DEVICE_ERROR;
  g_assert_cmpuint (count, ==, 2);
  g_assert_cmpuint (*(CK_OBJECT_CLASS *) template[0].pValue, ==, CKO_HW_FEATURE);
  g_assert_cmpuint (template[1].type, ==, CKA_HW_FEATURE_TYPE);
  fake.feature_searched = *(CK_ULONG *) template[1].pValue;
  return CKR_OK;
}

/* The handle of a feature's object is the feature. */
static CK_RV
find_objects (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG room, CK_ULONG *count)
{
  *count = 0;
  if (fake.feature_searched == FAKE_CERTIFICATE) {
    if (fake.found_at_once > 0)
      room = MIN (room, fake.found_at_once);
    while (*count < room && fake.n_found < fake.n_certificates) {
      objects[*count] = FAKE_CERTIFICATE + fake.n_found++;
      *count += 1;
    }
  }
  for (guint i = 0; i < fake.n_attributes; i++) {
    if (fake.attributes[i].feature == fake.feature_searched) {
      g_assert_cmpuint (room, ==, 1);
      *objects = fake.feature_searched;
      *count = 1;
    }
  }
  return fake.find_objects_rv;
}

static CK_RV
find_objects_final (CK_SESSION_HANDLE session)
{
  fake.feature_searched = 0;
  return CKR_OK;
}

static CK_RV
get_attribute_value (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attribute,
                     CK_ULONG count)
{
  g_assert_cmpuint (count, ==, 1);
  if (object >= FAKE_CERTIFICATE && object < FAKE_CERTIFICATE + FAKE_CERTIFICATES_MAX) {
    const FakeCertificate *certificate = &fake.certificates[object - FAKE_CERTIFICATE];

    g_assert_cmpuint (attribute->type, ==, CKA_VALUE);
    if (certificate == &fake.certificates[fake.n_certificates - 1] && fake.certificate_rv != CKR_OK)
      return fake.certificate_rv;
    if (attribute->pValue != NULL)
      memcpy (attribute->pValue, certificate->der, MIN (attribute->ulValueLen, certificate->size));
    attribute->ulValueLen = certificate->size;
    return CKR_OK;
  }
  for (guint i = 0; i < fake.n_attributes; i++) {
    guint64 value = GUINT64_TO_LE (fake.attributes[i].value);

    if (fake.attributes[i].feature != object || fake.attributes[i].type != attribute->type)
      continue;
    if (attribute->pValue != NULL && fake.value_rv != CKR_OK)
      return fake.value_rv;
    if (attribute->pValue != NULL) {
      g_assert_cmpuint (attribute->ulValueLen, ==, fake.attributes[i].width);
      memcpy (attribute->pValue, &value, MIN (sizeof value, fake.attributes[i].width));
    }
    attribute->ulValueLen = fake.attributes[i].width;
    if (attribute->pValue != NULL)
      attribute->ulValueLen += fake.value_growth;
    return CKR_OK;
  }
  return CKR_ATTRIBUTE_TYPE_INVALID;
}

static void
record (const char *function, const CK_BYTE *a, CK_ULONG a_length, const CK_BYTE *b,
        CK_ULONG b_length)
{
  g_string_append_printf (fake.calls, "%s(%.*s", function, (int) a_length,
                          a != NULL ? (const char *) a : "");
  if (b != NULL)
    g_string_append_printf (fake.calls, ",%.*s", (int) b_length, (const char *) b);
  g_string_append (fake.calls, ") ");
}

static CK_RV
login (CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG length)
{
  fake.user = user;
  record ("login", pin, length, NULL, 0);
  return fake.login_rv;
}

static CK_RV
logout (CK_SESSION_HANDLE session)
{
  record ("logout", NULL, 0, NULL, 0);
  return fake.logout_rv;
}

static CK_RV
init_pin (CK_SESSION_HANDLE session, CK_BYTE *pin, CK_ULONG length)
{
  record ("init-pin", pin, length, NULL, 0);
  if (fake.before_init_pin != NULL)
    fake.before_init_pin ();
  return fake.init_pin_rv;
}

static CK_RV
set_pin (CK_SESSION_HANDLE session, CK_BYTE *old, CK_ULONG old_length, CK_BYTE *new_pin,
         CK_ULONG new_length)
{
  record ("set-pin", old, old_length, new_pin, new_length);
  fake.set_pin_codes[0] = old;
  fake.set_pin_codes[1] = new_pin;
  return fake.set_pin_rv;
}

const TokendReadFunctions fake_read_functions = {
  .get_info = get_info,
  .get_slot_list = get_slot_list,
  .get_slot_info = get_slot_info,
  .get_token_info = get_token_info,
  .open_session = open_session,
  .close_session = close_session,
  .find_objects_init = find_objects_init,
  .find_objects = find_objects,
  .find_objects_final = find_objects_final,
  .get_attribute_value = get_attribute_value,
};

const TokendOperationFunctions fake_operation_functions = {
  .login = login,
  .logout = logout,
  .init_pin = init_pin,
  .set_pin = set_pin,
};
