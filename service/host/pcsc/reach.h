/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The program tokend-reach, in the folder of tokend-module. Its only argument is a reader's name. It connects to the card in
 * it, which one byte on its standard output says ahead, and lets go of it again, without a command to it; and ends with who
 * started it. */
#define TOKEND_REACH "tokend-reach"

/** TokendReachAnswer: its exit status, but for the last. */
typedef enum {
  TOKEND_REACH_AT_ONCE = 1,  /* or else the card is gone */
  TOKEND_REACH_AFTER_OTHERS, /* another program's transaction had to end first */
  TOKEND_REACH_BEGUN,        /* to connect; what it took to start says nothing of the card */
} TokendReachAnswer;
