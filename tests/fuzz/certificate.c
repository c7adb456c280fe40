/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate.h"

#include "fuzz.h"

#include <string.h>

/* 512 bytes of a name; each that is no UTF-8 grows to three. */
#define ISSUER_MAX (3 * 512)

/* Any bytes: a certificate as a module gives it. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (TokendCertificate) certificate = tokend_certificate_parse (data, size);

  if (certificate == NULL)
    return 0;
  if (certificate->issuer != NULL) {
    g_assert_true (g_utf8_validate (certificate->issuer, -1, NULL));
    g_assert_cmpuint (strlen (certificate->issuer), <=, ISSUER_MAX);
  }
  return 0;
}
