/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

/* Returns NULL if it worked, else why it did not: the name of an errno or of a D-Bus error. */
typedef const char *(*HostileAttack) (pid_t service);

typedef struct {
  const char *name;
  HostileAttack attack;
} HostileNamedAttack;

/* What a module host must not be able to do; ends with an entry that has no name. */
extern const HostileNamedAttack hostile_attacks[];

pid_t hostile_find_service (void);

const char *hostile_own_service_name (pid_t service);
const char *hostile_own_other_name (pid_t service);
const char *hostile_read_modules (pid_t service);
const char *hostile_stop_service (pid_t service);
