/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *tokenctl_words_for_profiles (GVariant *status);

G_END_DECLS
