/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The program tokend-reach, in the folder of tokend-module. Its only argument is a reader's name. It connects to the card in
 * it and lets go of it again, without a command to it, and ends with who started it. */
#define TOKEND_REACH "tokend-reach"

/** TokendReachAnswer: its exit status. What it took to start says nothing of the card. */
typedef enum {
  TOKEND_REACH_AT_ONCE = 1,  /* or else the card is gone */
  TOKEND_REACH_AFTER_OTHERS, /* another program's transaction had to end first */
} TokendReachAnswer;
