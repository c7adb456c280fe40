/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every function of PKCS#11 2.40, in the order of CK_FUNCTION_LIST, and what becomes of a call:
 * OWN has a function in etoken.c or objects.c, FORWARD goes to SoftHSM2 as it is, FORBIDDEN aborts.
 * Included several times, with these three defined as needed. No include guard.
 */
ETOKEN_OWN (C_Initialize, (void *init_args), (init_args))
ETOKEN_OWN (C_Finalize, (void *reserved), (reserved))
ETOKEN_OWN (C_GetInfo, (CK_INFO * info), (info))
ETOKEN_OWN (C_GetFunctionList, (CK_FUNCTION_LIST * *function_list), (function_list))
ETOKEN_OWN (C_GetSlotList,
            (unsigned char token_present, CK_SLOT_ID *slot_list, unsigned long *count),
            (token_present, slot_list, count))
ETOKEN_OWN (C_GetSlotInfo, (CK_SLOT_ID slot_id, CK_SLOT_INFO *info), (slot_id, info))
ETOKEN_OWN (C_GetTokenInfo, (CK_SLOT_ID slot_id, CK_TOKEN_INFO *info), (slot_id, info))
ETOKEN_FORWARD (C_GetMechanismList,
                (CK_SLOT_ID slot_id, CK_MECHANISM_TYPE *mechanism_list, unsigned long *count),
                (slot_id, mechanism_list, count))
ETOKEN_FORWARD (C_GetMechanismInfo,
                (CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info),
                (slot_id, type, info))
ETOKEN_FORBIDDEN (C_InitToken,
                  (CK_SLOT_ID slot_id, unsigned char *pin, unsigned long pin_len,
                   unsigned char *label),
                  (slot_id, pin, pin_len, label))
ETOKEN_OWN (C_InitPIN, (CK_SESSION_HANDLE session, unsigned char *pin, unsigned long pin_len),
            (session, pin, pin_len))
ETOKEN_OWN (C_SetPIN,
            (CK_SESSION_HANDLE session, unsigned char *old_pin, unsigned long old_len,
             unsigned char *new_pin, unsigned long new_len),
            (session, old_pin, old_len, new_pin, new_len))
ETOKEN_FORWARD (C_OpenSession,
                (CK_SLOT_ID slot_id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                 CK_SESSION_HANDLE *session),
                (slot_id, flags, application, notify, session))
ETOKEN_FORWARD (C_CloseSession, (CK_SESSION_HANDLE session), (session))
ETOKEN_FORWARD (C_CloseAllSessions, (CK_SLOT_ID slot_id), (slot_id))
ETOKEN_FORWARD (C_GetSessionInfo, (CK_SESSION_HANDLE session, CK_SESSION_INFO *info),
                (session, info))
ETOKEN_FORWARD (C_GetOperationState,
                (CK_SESSION_HANDLE session, unsigned char *operation_state,
                 unsigned long *operation_state_len),
                (session, operation_state, operation_state_len))
ETOKEN_FORWARD (C_SetOperationState,
                (CK_SESSION_HANDLE session, unsigned char *operation_state,
                 unsigned long operation_state_len, CK_OBJECT_HANDLE encryption_key,
                 CK_OBJECT_HANDLE authentication_key),
                (session, operation_state, operation_state_len, encryption_key, authentication_key))
ETOKEN_OWN (C_Login,
            (CK_SESSION_HANDLE session, CK_USER_TYPE user_type, unsigned char *pin,
             unsigned long pin_len),
            (session, user_type, pin, pin_len))
ETOKEN_FORWARD (C_Logout, (CK_SESSION_HANDLE session), (session))
ETOKEN_FORBIDDEN (C_CreateObject,
                  (CK_SESSION_HANDLE session, CK_ATTRIBUTE *templ, unsigned long count,
                   CK_OBJECT_HANDLE *object),
                  (session, templ, count, object))
ETOKEN_FORBIDDEN (C_CopyObject,
                  (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *templ,
                   unsigned long count, CK_OBJECT_HANDLE *new_object),
                  (session, object, templ, count, new_object))
ETOKEN_FORBIDDEN (C_DestroyObject, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object),
                  (session, object))
ETOKEN_FORWARD (C_GetObjectSize,
                (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, unsigned long *size),
                (session, object, size))
ETOKEN_OWN (C_GetAttributeValue,
            (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *templ,
             unsigned long count),
            (session, object, templ, count))
ETOKEN_FORBIDDEN (C_SetAttributeValue,
                  (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *templ,
                   unsigned long count),
                  (session, object, templ, count))
ETOKEN_OWN (C_FindObjectsInit,
            (CK_SESSION_HANDLE session, CK_ATTRIBUTE *templ, unsigned long count),
            (session, templ, count))
ETOKEN_OWN (C_FindObjects,
            (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *object, unsigned long max_object_count,
             unsigned long *object_count),
            (session, object, max_object_count, object_count))
ETOKEN_OWN (C_FindObjectsFinal, (CK_SESSION_HANDLE session), (session))
ETOKEN_FORWARD (C_EncryptInit,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key),
                (session, mechanism, key))
ETOKEN_FORWARD (C_Encrypt,
                (CK_SESSION_HANDLE session, unsigned char *data, unsigned long data_len,
                 unsigned char *encrypted_data, unsigned long *encrypted_data_len),
                (session, data, data_len, encrypted_data, encrypted_data_len))
ETOKEN_FORWARD (C_EncryptUpdate,
                (CK_SESSION_HANDLE session, unsigned char *part, unsigned long part_len,
                 unsigned char *encrypted_part, unsigned long *encrypted_part_len),
                (session, part, part_len, encrypted_part, encrypted_part_len))
ETOKEN_FORWARD (C_EncryptFinal,
                (CK_SESSION_HANDLE session, unsigned char *last_encrypted_part,
                 unsigned long *last_encrypted_part_len),
                (session, last_encrypted_part, last_encrypted_part_len))
ETOKEN_FORWARD (C_DecryptInit,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key),
                (session, mechanism, key))
ETOKEN_FORWARD (C_Decrypt,
                (CK_SESSION_HANDLE session, unsigned char *encrypted_data,
                 unsigned long encrypted_data_len, unsigned char *data, unsigned long *data_len),
                (session, encrypted_data, encrypted_data_len, data, data_len))
ETOKEN_FORWARD (C_DecryptUpdate,
                (CK_SESSION_HANDLE session, unsigned char *encrypted_part,
                 unsigned long encrypted_part_len, unsigned char *part, unsigned long *part_len),
                (session, encrypted_part, encrypted_part_len, part, part_len))
ETOKEN_FORWARD (C_DecryptFinal,
                (CK_SESSION_HANDLE session, unsigned char *last_part, unsigned long *last_part_len),
                (session, last_part, last_part_len))
ETOKEN_FORWARD (C_DigestInit, (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism),
                (session, mechanism))
ETOKEN_FORWARD (C_Digest,
                (CK_SESSION_HANDLE session, unsigned char *data, unsigned long data_len,
                 unsigned char *digest, unsigned long *digest_len),
                (session, data, data_len, digest, digest_len))
ETOKEN_FORWARD (C_DigestUpdate,
                (CK_SESSION_HANDLE session, unsigned char *part, unsigned long part_len),
                (session, part, part_len))
ETOKEN_FORWARD (C_DigestKey, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key), (session, key))
ETOKEN_FORWARD (C_DigestFinal,
                (CK_SESSION_HANDLE session, unsigned char *digest, unsigned long *digest_len),
                (session, digest, digest_len))
ETOKEN_FORWARD (C_SignInit,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key),
                (session, mechanism, key))
ETOKEN_FORWARD (C_Sign,
                (CK_SESSION_HANDLE session, unsigned char *data, unsigned long data_len,
                 unsigned char *signature, unsigned long *signature_len),
                (session, data, data_len, signature, signature_len))
ETOKEN_FORWARD (C_SignUpdate,
                (CK_SESSION_HANDLE session, unsigned char *part, unsigned long part_len),
                (session, part, part_len))
ETOKEN_FORWARD (C_SignFinal,
                (CK_SESSION_HANDLE session, unsigned char *signature, unsigned long *signature_len),
                (session, signature, signature_len))
ETOKEN_FORWARD (C_SignRecoverInit,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key),
                (session, mechanism, key))
ETOKEN_FORWARD (C_SignRecover,
                (CK_SESSION_HANDLE session, unsigned char *data, unsigned long data_len,
                 unsigned char *signature, unsigned long *signature_len),
                (session, data, data_len, signature, signature_len))
ETOKEN_FORWARD (C_VerifyInit,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key),
                (session, mechanism, key))
ETOKEN_FORWARD (C_Verify,
                (CK_SESSION_HANDLE session, unsigned char *data, unsigned long data_len,
                 unsigned char *signature, unsigned long signature_len),
                (session, data, data_len, signature, signature_len))
ETOKEN_FORWARD (C_VerifyUpdate,
                (CK_SESSION_HANDLE session, unsigned char *part, unsigned long part_len),
                (session, part, part_len))
ETOKEN_FORWARD (C_VerifyFinal,
                (CK_SESSION_HANDLE session, unsigned char *signature, unsigned long signature_len),
                (session, signature, signature_len))
ETOKEN_FORWARD (C_VerifyRecoverInit,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key),
                (session, mechanism, key))
ETOKEN_FORWARD (C_VerifyRecover,
                (CK_SESSION_HANDLE session, unsigned char *signature, unsigned long signature_len,
                 unsigned char *data, unsigned long *data_len),
                (session, signature, signature_len, data, data_len))
ETOKEN_FORWARD (C_DigestEncryptUpdate,
                (CK_SESSION_HANDLE session, unsigned char *part, unsigned long part_len,
                 unsigned char *encrypted_part, unsigned long *encrypted_part_len),
                (session, part, part_len, encrypted_part, encrypted_part_len))
ETOKEN_FORWARD (C_DecryptDigestUpdate,
                (CK_SESSION_HANDLE session, unsigned char *encrypted_part,
                 unsigned long encrypted_part_len, unsigned char *part, unsigned long *part_len),
                (session, encrypted_part, encrypted_part_len, part, part_len))
ETOKEN_FORWARD (C_SignEncryptUpdate,
                (CK_SESSION_HANDLE session, unsigned char *part, unsigned long part_len,
                 unsigned char *encrypted_part, unsigned long *encrypted_part_len),
                (session, part, part_len, encrypted_part, encrypted_part_len))
ETOKEN_FORWARD (C_DecryptVerifyUpdate,
                (CK_SESSION_HANDLE session, unsigned char *encrypted_part,
                 unsigned long encrypted_part_len, unsigned char *part, unsigned long *part_len),
                (session, encrypted_part, encrypted_part_len, part, part_len))
ETOKEN_FORBIDDEN (C_GenerateKey,
                  (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *templ,
                   unsigned long count, CK_OBJECT_HANDLE *key),
                  (session, mechanism, templ, count, key))
ETOKEN_FORBIDDEN (C_GenerateKeyPair,
                  (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                   CK_ATTRIBUTE *public_key_template, unsigned long public_key_attribute_count,
                   CK_ATTRIBUTE *private_key_template, unsigned long private_key_attribute_count,
                   CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key),
                  (session, mechanism, public_key_template, public_key_attribute_count,
                   private_key_template, private_key_attribute_count, public_key, private_key))
ETOKEN_FORWARD (C_WrapKey,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping_key,
                 CK_OBJECT_HANDLE key, unsigned char *wrapped_key, unsigned long *wrapped_key_len),
                (session, mechanism, wrapping_key, key, wrapped_key, wrapped_key_len))
ETOKEN_FORWARD (C_UnwrapKey,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                 CK_OBJECT_HANDLE unwrapping_key, unsigned char *wrapped_key,
                 unsigned long wrapped_key_len, CK_ATTRIBUTE *templ, unsigned long attribute_count,
                 CK_OBJECT_HANDLE *key),
                (session, mechanism, unwrapping_key, wrapped_key, wrapped_key_len, templ,
                 attribute_count, key))
ETOKEN_FORWARD (C_DeriveKey,
                (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base_key,
                 CK_ATTRIBUTE *templ, unsigned long attribute_count, CK_OBJECT_HANDLE *key),
                (session, mechanism, base_key, templ, attribute_count, key))
ETOKEN_FORWARD (C_SeedRandom,
                (CK_SESSION_HANDLE session, unsigned char *seed, unsigned long seed_len),
                (session, seed, seed_len))
ETOKEN_FORWARD (C_GenerateRandom,
                (CK_SESSION_HANDLE session, unsigned char *random_data, unsigned long random_len),
                (session, random_data, random_len))
ETOKEN_FORWARD (C_GetFunctionStatus, (CK_SESSION_HANDLE session), (session))
ETOKEN_FORWARD (C_CancelFunction, (CK_SESSION_HANDLE session), (session))
ETOKEN_OWN (C_WaitForSlotEvent, (CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved),
            (flags, slot, reserved))

#undef ETOKEN_OWN
#undef ETOKEN_FORWARD
#undef ETOKEN_FORBIDDEN
