/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A simulated SafeNet eToken on top of SoftHSM2; README.md says what it does and how it is told.
 */
#pragma once

#include <glib.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>

#define ETOKEN_RETRIES_MAXIMUM 3
#define ETOKEN_PIN_MINIMUM_LENGTH 4
#define ETOKEN_PIN_MAXIMUM_LENGTH 16
/* Of a new PIN where the one that the token came with must be changed. */
#define ETOKEN_TRANSPORT_MINIMUM_LENGTH 6

/* table.c */

typedef enum {
#define ETOKEN_OWN(name, parameters, arguments) ETOKEN_##name,
#define ETOKEN_FORWARD ETOKEN_OWN
#define ETOKEN_FORBIDDEN ETOKEN_OWN
#include "functions.h"
  ETOKEN_N_FUNCTIONS
} EtokenFunction;

/* etoken.c and objects.c: what a call does, after faults were looked at and before it is recorded
 */

#define ETOKEN_OWN(name, parameters, arguments) CK_RV etoken_##name parameters;
#define ETOKEN_FORWARD(name, parameters, arguments)
#define ETOKEN_FORBIDDEN(name, parameters, arguments)
#include "functions.h"

/* store.c */

typedef enum {
  ETOKEN_PIN,
  ETOKEN_PUK,
  ETOKEN_N_ROLES,
} EtokenRole;

/**
 * EtokenState:
 *
 * The token's own memory: the tries that remain. Other processes wait while one has it open for
 * writing.
 */
typedef struct {
  int fd;
  guint remaining[ETOKEN_N_ROLES];
} EtokenState;

const char *etoken_folder (void);
char *etoken_file (const char *name);
CK_FUNCTION_LIST *etoken_softhsm (void);
CK_RV etoken_softhsm_initialize (void *init_args);
GKeyFile *etoken_settings (void);
gboolean etoken_state_open (EtokenState *state, gboolean for_writing);
void etoken_state_write (EtokenState *state);
void etoken_state_close (EtokenState *state);
void etoken_destroy_objects (void);

/* card.c */

gboolean etoken_send (EtokenFunction function);

/* slot-events.c */

void etoken_pass_waiting (void);

/* faults.c */

void etoken_record (EtokenFunction function, const char *result);
gboolean etoken_fault (const char *name);
gboolean etoken_fault_before (EtokenFunction function, guint n, CK_RV *result);
gboolean etoken_fault_after (EtokenFunction function, guint n, CK_RV *result);
char *etoken_fault_garbage (EtokenFunction function, guint n);

/* garbage.c */

gboolean etoken_garble (EtokenFunction function, guint n, ...);

/* table.c */

extern CK_FUNCTION_LIST etoken_functions;
const char *etoken_function_name (EtokenFunction function);

/* results.c */

char *etoken_result_name (CK_RV result);
CK_RV etoken_result_from_name (const char *text);
