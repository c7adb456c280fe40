/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificates.h"

#include "tokend-module.h"

/* A card has a handful: for logging in, for signing, those that were renewed, and the CAs'. */
#define CERTIFICATES_MAX 16
#define CERTIFICATE_SIZE_MAX 32768
/* They are slow to read from a card, and seldom change while it is plugged in. What was read stands for so long;
 * afterwards they are read again with whatever else is read: nothing is read for their sake alone. */
#define FRESH_US (10 * 60 * G_USEC_PER_SEC)

/* What is known of one token's. */
typedef struct {
  TokendReading reading;          /* of the token, when they were read */
  gint64 read_at;                 /* monotonic, in microseconds */
  TokendCertificate *certificate; /* that the person signs with; NULL: the token has none */
} Known;

static void
known_free (gpointer data)
{
  Known *known = data;

  g_clear_pointer (&known->certificate, tokend_certificate_free);
  g_free (known);
}

/** tokend_certificates_new: Returns: (transfer full): what is known of the certificates of tokens: nothing, yet. */
GPtrArray *
tokend_certificates_new (void)
{
  return g_ptr_array_new_with_free_func (known_free);
}

static TokendCertificate *
read_certificate (const TokendReadFunctions *functions, CK_SESSION_HANDLE session,
                  CK_OBJECT_HANDLE object)
{
  CK_ATTRIBUTE value = { CKA_VALUE, NULL, 0 };
  g_autofree guint8 *der = NULL;
  CK_ULONG size;

  if (functions->get_attribute_value (session, object, &value, 1) != CKR_OK)
    return NULL;
  size = value.ulValueLen;
  if (size == 0 || size > CERTIFICATE_SIZE_MAX)
    return NULL;
  value.pValue = der = g_malloc0 (size);
  if (functions->get_attribute_value (session, object, &value, 1) != CKR_OK
      || value.ulValueLen > size)
    return NULL;
  return tokend_certificate_parse (der, value.ulValueLen);
}

/* Returns: (nullable): NULL if they could not be looked for. */
static GPtrArray *
read_session (const TokendReadFunctions *functions, CK_SESSION_HANDLE session)
{
  CK_OBJECT_CLASS class = CKO_CERTIFICATE;
  CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof class };
  CK_OBJECT_HANDLE objects[CERTIFICATES_MAX];
  CK_ULONG count = 0;
  GPtrArray *found;
  CK_RV rv;

  if (functions->find_objects_init (session, &template, 1) != CKR_OK)
    return NULL;
  rv = functions->find_objects (session, objects, CERTIFICATES_MAX, &count);
  functions->find_objects_final (session);
  if (rv != CKR_OK)
    return NULL;

  found = g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_certificate_free);
  for (CK_ULONG i = 0; i < MIN (count, CERTIFICATES_MAX); i++) {
    TokendCertificate *certificate = read_certificate (functions, session, objects[i]);

    if (certificate != NULL)
      g_ptr_array_add (found, certificate);
  }
  return found;
}

static GPtrArray *
read_slot (const TokendReadFunctions *functions, CK_SLOT_ID slot)
{
  CK_SESSION_HANDLE session;
  GPtrArray *found;

  if (functions->open_session (slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
    return NULL;
  found = read_session (functions, session);
  functions->close_session (session);
  return found;
}

static Known *
steal (GPtrArray *certificates, const TokendTokenIdentity *identity)
{
  for (guint i = 0; i < certificates->len; i++) {
    Known *known = certificates->pdata[i];

    if (tokend_token_identity_equal (&known->reading.identity, identity))
      return g_ptr_array_steal_index_fast (certificates, i);
  }
  return NULL;
}

static gboolean
has_locked_puk (const TokendReading *reading)
{
  return (reading->flags & TOKEND_TOKEN_PUK_LOCKED) != 0 || reading->puk.remaining == 0;
}

/* The last wrong PUK may take them along. */
static gboolean
is_fresh (const Known *known, const TokendReading *reading, gint64 now)
{
  return now - known->read_at < FRESH_US
         && (has_locked_puk (&known->reading) || !has_locked_puk (reading));
}

/* Returns: (transfer full) (nullable): where they cannot be read now, @known as it was. */
static Known *
renew (Known *known, const TokendReadFunctions *functions, const TokendSlotReading *reading,
       gint64 now)
{
  g_autoptr (GPtrArray) found = read_slot (functions, reading->slot);
  const TokendCertificate *chosen;

  if (found == NULL)
    return known;
  if (known != NULL)
    known_free (known);
  chosen = tokend_certificate_choose (found);
  known = g_new0 (Known, 1);
  known->reading = reading->reading;
  known->read_at = now;
  known->certificate = chosen != NULL ? tokend_certificate_copy (chosen) : NULL;
  return known;
}

/**
 * tokend_certificates_update:
 * @certificates: from tokend_certificates_new(); afterwards of just the tokens in @readings.
 * @readings: (element-type TokendSlotReading): the tokens that are there.
 * @now: monotonic, in microseconds.
 *
 * Reads the certificates of tokens that were not there before, whose PUK was locked, or whose certificates were read ten
 * minutes ago; without a login, in a session that is closed again. Costs no try.
 */
void
tokend_certificates_update (GPtrArray *certificates, const TokendReadFunctions *functions,
                            GArray *readings, gint64 now)
{
  g_autoptr (GPtrArray) there = tokend_certificates_new ();

  for (guint i = 0; i < readings->len; i++) {
    const TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);
    Known *known = steal (certificates, &reading->reading.identity);

    if (reading->reading.unread == TOKEND_UNREAD_NOT
        && (known == NULL || !is_fresh (known, &reading->reading, now)))
      known = renew (known, functions, reading, now);
    if (known != NULL)
      g_ptr_array_add (there, known);
  }
  g_ptr_array_set_size (certificates, 0);
  g_ptr_array_extend_and_steal (certificates, g_steal_pointer (&there));
}

/** tokend_certificates_lookup: Returns: (transfer none) (nullable): the certificate that is signed with on that token. */
const TokendCertificate *
tokend_certificates_lookup (GPtrArray *certificates, const TokendTokenIdentity *identity)
{
  for (guint i = 0; i < certificates->len; i++) {
    const Known *known = certificates->pdata[i];

    if (tokend_token_identity_equal (&known->reading.identity, identity))
      return known->certificate;
  }
  return NULL;
}
