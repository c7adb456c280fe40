/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "exit-code.h"

G_BEGIN_DECLS

void tokenctl_report (const char *words);
TokenctlExit tokenctl_report_error (const GError *error);

G_END_DECLS
