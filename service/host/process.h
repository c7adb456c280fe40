/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

int tokend_process_seal (void);
void tokend_process_keep_from_children (int fd);

G_END_DECLS
