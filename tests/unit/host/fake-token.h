/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"

/* A PKCS#11 module of plain variables: says what it is told to say, and records what it was
 * asked. */

#define FAKE_SLOTS_MAX 100
#define FAKE_ATTRIBUTES_MAX 16
#define FAKE_CERTIFICATES_MAX 66
/* Handle of the first certificate's object; no feature type is this, nor the next few. */
#define FAKE_CERTIFICATE 0x7fff0000

typedef struct {
  CK_ULONG feature; /* CKA_HW_FEATURE_TYPE of the object that has it */
  CK_ATTRIBUTE_TYPE type;
  guint64 value;
  CK_ULONG width; /* in bytes */
} FakeAttribute;

typedef struct {
  const void *der;
  CK_ULONG size;
} FakeCertificate;

typedef struct {
  const char *manufacturer; /* of the module; NULL: it says none */
  guint n_slots;
  CK_TOKEN_INFO info[FAKE_SLOTS_MAX];
  CK_RV info_rv[FAKE_SLOTS_MAX];
  guint n_info;                    /* so often tokens were asked for what they are */
  guint fail_info_at;              /* the so manieth time is an error; 0: none is */
  void (*before_info) (void);      /* what others do before the answer */
  CK_FLAGS slot_flags;             /* of all slots */
  CK_RV slot_rv;                   /* likewise */
  guint n_slot_info;               /* so often slots were asked for what they are */
  void (*before_slot_info) (void); /* what others do before the answer */
  CK_RV slot_list_rv;
  guint grows;   /* so many times, the slot list is longer than it was just said to be */
  gboolean lies; /* the slot list is said to be longer than there was room for */

  FakeAttribute attributes[FAKE_ATTRIBUTES_MAX];
  guint n_attributes;
  CK_ULONG feature_searched;
  CK_RV find_init_rv;
  guint fail_find_at; /* the so manieth search for a feature cannot begin; 0: each can */
  guint n_feature_searches;
  CK_RV find_objects_rv; /* of a search, which finds what there is all the same */
  CK_RV value_rv;        /* of an attribute's value, once its size is told */
  CK_ULONG value_growth; /* so much longer it is then */
  FakeCertificate certificates[FAKE_CERTIFICATES_MAX];
  guint n_certificates;
  guint n_found;            /* of these, in the search that is under way */
  guint found_at_once;      /* 0: as many as there is room for */
  CK_RV certificate_rv;     /* of the last one's value */
  void (*meanwhile) (void); /* what others do while certificates are looked for */

  CK_RV open_session_rv;
  CK_FLAGS session_flags;
  guint open_sessions;

  CK_RV login_rv;
  CK_RV logout_rv;
  CK_USER_TYPE user; /* who was logged in last */
  CK_RV init_pin_rv;
  void (*before_init_pin) (void); /* called when it is */
  CK_RV set_pin_rv;
  const CK_BYTE *set_pin_codes[2]; /* where what C_SetPIN got is */
  GString *calls;                  /* the functions that take codes, with the codes they got */
} FakeToken;

extern FakeToken fake;
extern const TokendReadFunctions fake_read_functions;
extern const TokendOperationFunctions fake_operation_functions;

/* One slot, with an initialised token: "Maker", "Model", "0001", "LABEL", PIN of 4 to 8 bytes, no
 * retry flag. */
void fake_reset (void);
void fake_fill (CK_TOKEN_INFO *info, const char *manufacturer, const char *model,
                const char *serial, const char *label);
void fake_add_attribute (CK_ULONG feature, CK_ATTRIBUTE_TYPE type, guint64 value, CK_ULONG width);
