/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificates.h"

#include "tokend-module.h"

#include <string.h>

/* The most certificates of a card, which has a handful: to log in, to sign, renewed ones, and CAs'.
 * If there are more, none is told, since the one that matters may be left out. */
#define CERTIFICATES_MAX 64
#define CERTIFICATE_SIZE_MAX 32768
/* How long what was read is valid. Certificates are slow to read and seldom change while the card
 * is plugged in. Later they are read again together with something else, and never for their own
 * sake. */
#define FRESH_US (10 * 60 * G_USEC_PER_SEC)

/* What is known of one token's certificates. */
typedef struct {
  TokendHostReading reading;      /* of the token, when they were read; also that there is none */
  gint64 read_at;                 /* monotonic, in microseconds */
  TokendCertificate *certificate; /* the one that the person signs with; NULL: none */
} Known;

static void
known_free (gpointer data)
{
  Known *known = data;

  g_clear_pointer (&known->certificate, tokend_certificate_free);
  g_free (known);
}

GPtrArray *
tokend_certificates_new (void)
{
  return g_ptr_array_new_with_free_func (known_free);
}

/* Tells whether an object has no certificate to show. */
static gboolean
has_no_value (CK_RV rv)
{
  return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE;
}

/* @certificate: (out) (nullable): NULL if the object cannot be understood.
 * Returns: whether it could be read. */
static gboolean
read_certificate (const TokendReadFunctions *functions, CK_SESSION_HANDLE session,
                  CK_OBJECT_HANDLE object, TokendCertificate **certificate)
{
  CK_ATTRIBUTE value = { CKA_VALUE, NULL, 0 };
  g_autofree guint8 *der = NULL;
  CK_ULONG size;
  CK_RV rv = functions->get_attribute_value (session, object, &value, 1);

  *certificate = NULL;
  size = value.ulValueLen;
  if (rv != CKR_OK || size == 0 || size > CERTIFICATE_SIZE_MAX)
    return rv == CKR_OK || has_no_value (rv);
  value.pValue = der = g_malloc0 (size);
  rv = functions->get_attribute_value (session, object, &value, 1);
  if (rv == CKR_OK && value.ulValueLen <= size)
    *certificate = tokend_certificate_parse (der, value.ulValueLen);
  return rv == CKR_OK;
}

/* Finds one more than CERTIFICATES_MAX at most. */
static GArray *
find_session (const TokendReadFunctions *functions, CK_SESSION_HANDLE session)
{
  CK_OBJECT_CLASS class = CKO_CERTIFICATE;
  CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof class };
  g_autoptr (GArray) objects = g_array_new (FALSE, TRUE, sizeof (CK_OBJECT_HANDLE));
  CK_ULONG count = 0;
  CK_RV rv;

  if (functions->find_objects_init (session, &template, 1) != CKR_OK)
    return NULL;
  do {
    const guint n_found = objects->len;
    const CK_ULONG room = CERTIFICATES_MAX + 1 - n_found;

    g_array_set_size (objects, CERTIFICATES_MAX + 1);
    rv = functions->find_objects (session, &g_array_index (objects, CK_OBJECT_HANDLE, n_found),
                                  room, &count);
    count = rv == CKR_OK ? MIN (count, room) : 0;
    g_array_set_size (objects, n_found + (guint) count);
  } while (count > 0 && objects->len <= CERTIFICATES_MAX);
  functions->find_objects_final (session);
  return rv == CKR_OK ? g_steal_pointer (&objects) : NULL;
}

/* @is_any: (out): whether there is one, be it that it cannot be understood.
 * Returns: (nullable): NULL if not all could be read, since the one that matters may be missing. */
static GPtrArray *
read_session (const TokendReadFunctions *functions, CK_SESSION_HANDLE session, gboolean *is_any)
{
  g_autoptr (GArray) objects = find_session (functions, session);
  g_autoptr (GPtrArray) found =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_certificate_free);

  if (objects == NULL)
    return NULL;
  *is_any = objects->len > 0;
  for (guint i = 0; i < objects->len && objects->len <= CERTIFICATES_MAX; i++) {
    TokendCertificate *certificate;

    if (!read_certificate (functions, session, g_array_index (objects, CK_OBJECT_HANDLE, i),
                           &certificate))
      return NULL;
    if (certificate != NULL)
      g_ptr_array_add (found, certificate);
  }
  return g_steal_pointer (&found);
}

static GPtrArray *
read_slot (const TokendReadFunctions *functions, CK_SLOT_ID slot, gboolean *is_any)
{
  CK_SESSION_HANDLE session;
  GPtrArray *found;

  if (functions->open_session (slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
    return NULL;
  found = read_session (functions, session, is_any);
  functions->close_session (session);
  return found;
}

static Known *
lookup (GPtrArray *certificates, const TokendTokenIdentity *identity)
{
  for (guint i = 0; i < certificates->len; i++) {
    Known *known = certificates->pdata[i];

    if (tokend_token_identity_equal (&known->reading.identity, identity))
      return known;
  }
  return NULL;
}

static gboolean
has_locked_puk (const TokendHostReading *reading)
{
  return (reading->flags & TOKEND_TOKEN_PUK_LOCKED) != 0 || reading->puk.remaining == 0;
}

/* Reads them anew once the PUK is locked: the last wrong PUK may destroy them. */
static gboolean
is_fresh (const Known *known, const TokendHostReading *reading, gint64 now)
{
  return now - known->read_at < FRESH_US
         && (has_locked_puk (&known->reading) || !has_locked_puk (reading));
}

/* Keeps what is known if they cannot be read now. */
static void
renew (GPtrArray *certificates, const TokendReadFunctions *functions,
       const TokendSlotReading *reading, gint64 now)
{
  gboolean is_any = TRUE;
  g_autoptr (GPtrArray) found = read_slot (functions, reading->slot, &is_any);
  const TokendCertificate *chosen;
  Known *known;

  if (found == NULL)
    return;
  known = lookup (certificates, &reading->reading.identity);
  if (known == NULL) {
    known = g_new0 (Known, 1);
    g_ptr_array_add (certificates, known);
  }
  chosen = tokend_certificate_choose (found);
  known->reading = reading->reading;
  known->reading.has_no_certificate = !is_any;
  known->read_at = now;
  g_clear_pointer (&known->certificate, tokend_certificate_free);
  known->certificate = chosen != NULL ? tokend_certificate_copy (chosen) : NULL;
}

/**
 * tokend_certificates_update:
 * @certificates: from tokend_certificates_new()
 * @readings: (element-type TokendSlotReading): tokens that are there
 * @now: monotonic, in microseconds
 *
 * Reads the certificates of tokens that are new, whose PUK was locked, or whose certificates were
 * read ten minutes ago. Reads without a login, in a session that is closed again. Costs no try.
 *
 * Returns: whether any were to be read
 */
gboolean
tokend_certificates_update (GPtrArray *certificates, const TokendReadFunctions *functions,
                            const GArray *readings, gint64 now)
{
  gboolean were_due = FALSE;

  for (guint i = 0; i < readings->len; i++) {
    const TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);
    const Known *known = lookup (certificates, &reading->reading.identity);

    if (reading->reading.unread != TOKEND_UNREAD_NOT
        || (known != NULL && is_fresh (known, &reading->reading, now)))
      continue;
    renew (certificates, functions, reading, now);
    were_due = TRUE;
  }
  return were_due;
}

static gboolean
is_there (const TokendTokenIdentity *identity, const GArray *readings)
{
  for (guint i = 0; i < readings->len; i++)
    if (tokend_token_identity_equal (
            &g_array_index (readings, TokendSlotReading, i).reading.identity, identity))
      return TRUE;
  return FALSE;
}

/**
 * tokend_certificates_forget_others:
 * @readings: (element-type TokendSlotReading): the tokens that are there, also those that could not
 *   be read
 *
 * Forgets the certificates of all other tokens, which may have others when they come back.
 */
void
tokend_certificates_forget_others (GPtrArray *certificates, const GArray *readings)
{
  for (guint i = certificates->len; i > 0; i--) {
    const Known *known = certificates->pdata[i - 1];

    if (!is_there (&known->reading.identity, readings))
      g_ptr_array_remove_index_fast (certificates, i - 1);
  }
}

/**
 * tokend_certificates_lookup:
 *
 * Returns: (transfer none) (nullable): the certificate that the person signs with on that token.
 */
const TokendCertificate *
tokend_certificates_lookup (GPtrArray *certificates, const TokendTokenIdentity *identity)
{
  const Known *known = lookup (certificates, identity);

  return known != NULL ? known->certificate : NULL;
}

/**
 * tokend_certificates_are_none:
 *
 * Returns: whether that token's certificates were read, and there was none.
 */
gboolean
tokend_certificates_are_none (GPtrArray *certificates, const TokendTokenIdentity *identity)
{
  const Known *known = lookup (certificates, identity);

  return known != NULL && known->reading.has_no_certificate;
}

/**
 * tokend_certificates_to_variant:
 *
 * Returns: (transfer floating): what is known, for another process of this program, of type
 *   %TOKEND_CERTIFICATES_TYPE
 */
GVariant *
tokend_certificates_to_variant (GPtrArray *certificates)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (TOKEND_CERTIFICATES_TYPE));
  for (guint i = 0; i < certificates->len; i++) {
    const Known *known = certificates->pdata[i];
    const TokendCertificate *certificate = known->certificate;

    g_variant_builder_open (&builder, G_VARIANT_TYPE ("(ayxm(msxay))"));
    g_variant_builder_add_value (
        &builder,
        g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, &known->reading, sizeof known->reading, 1));
    g_variant_builder_add (&builder, "x", known->read_at);
    g_variant_builder_add (
        &builder, "m(msx@ay)", certificate != NULL,
        certificate != NULL ? certificate->issuer : NULL,
        certificate != NULL ? certificate->end : 0,
        certificate != NULL ? g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, certificate->sha256,
                                                         sizeof certificate->sha256, 1)
                            : NULL);
    g_variant_builder_close (&builder);
  }
  return g_variant_builder_end (&builder);
}

static TokendCertificate *
take_certificate (GVariant *variant)
{
  TokendCertificate certificate = { 0 };
  g_autoptr (GVariant) sha256 = NULL;
  g_autoptr (GVariant) inner = g_variant_get_maybe (variant);
  gconstpointer bytes;
  gsize size;

  if (inner == NULL)
    return NULL;
  g_variant_get (inner, "(m&sx@ay)", &certificate.issuer, &certificate.end, &sha256);
  bytes = g_variant_get_fixed_array (sha256, &size, 1);
  if (size != sizeof certificate.sha256)
    return NULL;
  memcpy (certificate.sha256, bytes, size);
  return tokend_certificate_copy (&certificate);
}

/**
 * tokend_certificates_new_from_variant:
 *
 * Returns: (transfer full): what tokend_certificates_to_variant() has put into @variant.
 */
GPtrArray *
tokend_certificates_new_from_variant (GVariant *variant)
{
  GPtrArray *certificates = tokend_certificates_new ();

  for (gsize i = 0; i < g_variant_n_children (variant); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
    g_autoptr (GVariant) reading = g_variant_get_child_value (child, 0);
    g_autoptr (GVariant) certificate = g_variant_get_child_value (child, 2);
    gsize size;
    gconstpointer bytes = g_variant_get_fixed_array (reading, &size, 1);
    Known *known = g_new0 (Known, 1);

    if (size == sizeof known->reading)
      memcpy (&known->reading, bytes, size);
    g_variant_get_child (child, 1, "x", &known->read_at);
    known->certificate = take_certificate (certificate);
    g_ptr_array_add (certificates, known);
  }
  return certificates;
}
