/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/**
 * TokendCodeDescriptors:
 * The caller's descriptors that hold the codes. The service passes them on and never reads them.
 */
typedef struct {
  int code; /* the PUK or the present PIN */
  int new_pin;
  gboolean is_unfinished; /* one was still open for writing when the call came */
} TokendCodeDescriptors;

gboolean tokend_code_descriptors_take (TokendCodeDescriptors *descriptors, GUnixFDList *fds,
                                       int code_handle, int new_pin_handle, GError **error);
void tokend_code_descriptors_close (TokendCodeDescriptors *descriptors);

G_END_DECLS
