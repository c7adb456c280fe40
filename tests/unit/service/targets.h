/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"

TokendTarget *target_of (const char *name);
