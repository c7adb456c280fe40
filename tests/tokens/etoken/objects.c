/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The vendor's hardware-feature objects: the counters and the PIN policy as numbers, to anybody
 * with a session. */
#include "etoken.h"

#include <string.h>

#define FEATURE_COUNTERS 0x80005002UL
#define FEATURE_PIN_POLICY 0x80005003UL

#define COUNTER_PIN_REMAINING 0x80001110UL
#define COUNTER_PUK_REMAINING 0x80001111UL
#define COUNTER_PIN_MAXIMUM 0x80001112UL
#define COUNTER_PUK_MAXIMUM 0x80001113UL
#define COUNTER_HAS_PUK 0x8000111dUL

#define POLICY_MINIMUM_LENGTH 0x80001202UL
#define POLICY_COMPLEXITY 0x80001203UL
#define POLICY_MAXIMUM_LENGTH 0x8000120fUL

static const CK_ULONG features[] = { FEATURE_COUNTERS, FEATURE_PIN_POLICY };

static GMutex searches_mutex;
/* Session to a GArray of the handles not yet shown, while a search for hardware features is under
 * way. */
static GHashTable *searches;

/* SoftHSM2 counts its handles from 1: these never meet. A feature's type is its handle. */
static gboolean
is_feature (CK_OBJECT_HANDLE object)
{
  return object == FEATURE_COUNTERS || object == FEATURE_PIN_POLICY;
}

static gboolean
has_vendor_objects (void)
{
  g_autoptr (GError) error = NULL;
  gboolean wanted = g_key_file_get_boolean (etoken_settings (), "token", "vendor-objects", &error);

  return (wanted || error != NULL) && !etoken_fault ("no-vendor-objects");
}

static const CK_ATTRIBUTE *
find_attribute (const CK_ATTRIBUTE *templ, gulong count, CK_ATTRIBUTE_TYPE type)
{
  for (gulong i = 0; i < count; i++)
    if (templ[i].type == type && templ[i].pValue != NULL
        && templ[i].ulValueLen == sizeof (CK_ULONG))
      return &templ[i];
  return NULL;
}

static gboolean
attribute_is (const CK_ATTRIBUTE *attribute, CK_ULONG wanted)
{
  CK_ULONG value;

  memcpy (&value, attribute->pValue, sizeof value);
  return value == wanted;
}

CK_RV
etoken_C_FindObjectsInit (CK_SESSION_HANDLE session, CK_ATTRIBUTE *templ, unsigned long count)
{
  const CK_ATTRIBUTE *class = find_attribute (templ, count, CKA_CLASS);
  const CK_ATTRIBUTE *type = find_attribute (templ, count, CKA_HW_FEATURE_TYPE);
  CK_SESSION_INFO info;
  GArray *found;
  CK_RV rv;

  if (class == NULL || !attribute_is (class, CKO_HW_FEATURE))
    return etoken_softhsm ()->C_FindObjectsInit (session, templ, count);
  rv = etoken_softhsm ()->C_GetSessionInfo (session, &info);
  if (rv != CKR_OK)
    return rv;

  found = g_array_new (FALSE, FALSE, sizeof (CK_OBJECT_HANDLE));
  for (gsize i = 0; i < G_N_ELEMENTS (features) && has_vendor_objects (); i++)
    if (type == NULL || attribute_is (type, features[i]))
      g_array_append_val (found, features[i]);

  g_mutex_lock (&searches_mutex);
  if (searches == NULL)
    searches = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  g_hash_table_insert (searches, GSIZE_TO_POINTER (session), found);
  g_mutex_unlock (&searches_mutex);
  return CKR_OK;
}

CK_RV
etoken_C_FindObjects (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *object,
                      unsigned long max_object_count, unsigned long *object_count)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&searches_mutex);
  GArray *left =
      searches != NULL ? g_hash_table_lookup (searches, GSIZE_TO_POINTER (session)) : NULL;

  if (left == NULL)
    return etoken_softhsm ()->C_FindObjects (session, object, max_object_count, object_count);
  if (object == NULL || object_count == NULL)
    return CKR_ARGUMENTS_BAD;

  *object_count = MIN (max_object_count, left->len);
  for (CK_ULONG i = 0; i < *object_count; i++)
    object[i] = g_array_index (left, CK_OBJECT_HANDLE, i);
  if (*object_count > 0)
    g_array_remove_range (left, 0, *object_count);
  return CKR_OK;
}

CK_RV
etoken_C_FindObjectsFinal (CK_SESSION_HANDLE session)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&searches_mutex);

  if (searches != NULL && g_hash_table_remove (searches, GSIZE_TO_POINTER (session)))
    return CKR_OK;
  return etoken_softhsm ()->C_FindObjectsFinal (session);
}

static gboolean
is_set (const char *setting)
{
  return g_key_file_get_boolean (etoken_settings (), "token", setting, NULL);
}

/* The number of an attribute; FALSE if the object has none such. */
static gboolean
feature_value (CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const EtokenState *state,
               CK_ULONG *value, gsize *width)
{
  static const struct {
    CK_OBJECT_HANDLE object;
    CK_ATTRIBUTE_TYPE type;
    CK_ULONG value;
    gsize width;
  } constants[] = {
    { FEATURE_COUNTERS, CKA_CLASS, CKO_HW_FEATURE, sizeof (CK_ULONG) },
    { FEATURE_COUNTERS, CKA_HW_FEATURE_TYPE, FEATURE_COUNTERS, sizeof (CK_ULONG) },
    { FEATURE_COUNTERS, CKA_TOKEN, CK_TRUE, sizeof (CK_BBOOL) },
    { FEATURE_COUNTERS, COUNTER_PIN_MAXIMUM, ETOKEN_RETRIES_MAXIMUM, 0 },
    { FEATURE_COUNTERS, COUNTER_PUK_MAXIMUM, ETOKEN_RETRIES_MAXIMUM, 0 },
    { FEATURE_PIN_POLICY, CKA_CLASS, CKO_HW_FEATURE, sizeof (CK_ULONG) },
    { FEATURE_PIN_POLICY, CKA_HW_FEATURE_TYPE, FEATURE_PIN_POLICY, sizeof (CK_ULONG) },
    { FEATURE_PIN_POLICY, CKA_TOKEN, CK_TRUE, sizeof (CK_BBOOL) },
    { FEATURE_PIN_POLICY, POLICY_MINIMUM_LENGTH, ETOKEN_PIN_MINIMUM_LENGTH, sizeof (CK_ULONG) },
    { FEATURE_PIN_POLICY, POLICY_MAXIMUM_LENGTH, ETOKEN_PIN_MAXIMUM_LENGTH, sizeof (CK_ULONG) },
  };

  *width = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (constants); i++) {
    if (constants[i].object == object && constants[i].type == type) {
      *value = constants[i].value;
      *width = constants[i].width;
      return TRUE;
    }
  }
  if (object == FEATURE_PIN_POLICY && type == POLICY_COMPLEXITY) {
    *value = is_set ("pin-complexity") ? CK_TRUE : CK_FALSE;
    *width = sizeof (CK_BBOOL);
    return TRUE;
  }
  if (object == FEATURE_COUNTERS && type == COUNTER_HAS_PUK) {
    *value = is_set ("no-puk") ? CK_FALSE : CK_TRUE;
    *width = sizeof (CK_BBOOL);
    return TRUE;
  }
  if (object != FEATURE_COUNTERS)
    return FALSE;
  if (type == COUNTER_PIN_REMAINING)
    *value = state->remaining[ETOKEN_PIN];
  else if (type == COUNTER_PUK_REMAINING)
    *value = state->remaining[ETOKEN_PUK];
  else
    return FALSE;
  return TRUE;
}

/* The width of the counters differs between readers of real ones: a setting. */
static gsize
counter_width (void)
{
  int width = g_key_file_get_integer (etoken_settings (), "token", "counter-width", NULL);

  return width == 1 || width == 4 ? (gsize) width : sizeof (CK_ULONG);
}

static CK_RV
get_attribute (CK_OBJECT_HANDLE object, const EtokenState *state, CK_ATTRIBUTE *attribute)
{
  CK_ULONG value;
  gsize width, room = attribute->ulValueLen;
  gboolean known = feature_value (object, attribute->type, state, &value, &width);

  if (known && width == 0)
    width = counter_width ();
  attribute->ulValueLen = known ? width : CK_UNAVAILABLE_INFORMATION;
  if (!known)
    return CKR_ATTRIBUTE_TYPE_INVALID;
  if (attribute->pValue == NULL)
    return CKR_OK;
  if (room < width) {
    attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_BUFFER_TOO_SMALL;
  }
  value = GUINT64_TO_LE ((guint64) value);
  memcpy (attribute->pValue, &value, width);
  return CKR_OK;
}

CK_RV
etoken_C_GetAttributeValue (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *templ,
                            unsigned long count)
{
  CK_SESSION_INFO info;
  EtokenState state;
  CK_RV rv;

  if (!is_feature (object))
    return etoken_softhsm ()->C_GetAttributeValue (session, object, templ, count);
  rv = etoken_softhsm ()->C_GetSessionInfo (session, &info);
  if (rv != CKR_OK)
    return rv;
  if (!has_vendor_objects ())
    return CKR_OBJECT_HANDLE_INVALID;
  if (!etoken_state_open (&state, FALSE))
    return CKR_DEVICE_ERROR;
  etoken_state_close (&state);

  for (gulong i = 0; i < count; i++) {
    CK_RV attribute_rv = get_attribute (object, &state, &templ[i]);
    if (attribute_rv != CKR_OK)
      rv = attribute_rv;
  }
  return rv;
}
