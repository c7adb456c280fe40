/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "issuers.h"

#include <string.h>

/* 512 bytes of a name; each that is no UTF-8 grows to three. */
#define ISSUER_MAX (3 * 512)

/* Any bytes: a certificate as a module gives it. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *issuer = tokend_certificate_get_issuer (data, size);

  if (issuer != NULL) {
    g_assert_true (g_utf8_validate (issuer, -1, NULL));
    g_assert_cmpuint (strlen (issuer), <=, ISSUER_MAX);
  }
  return 0;
}
