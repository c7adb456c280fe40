/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "place.h"

TokendPlace *place_of (const char *name);
