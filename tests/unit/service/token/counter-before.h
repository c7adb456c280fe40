/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"

TokendCounter counter_before_evaluate (const TokendCounterReading *reading,
                                       const TokendCounterRules *rules,
                                       const TokendCounterRecord *record);
