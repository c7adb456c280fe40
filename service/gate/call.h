/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GError *tokend_call_new_ending_error (void);
void tokend_call_normalise_error (GError *error);
void tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error);

G_END_DECLS
