/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PKCS#11 without the functions that a module host never calls. This header is the only way to
 * PKCS#11 in the service. Naming one of the functions below after it does not compile: it could
 * destroy a certificate that costs money, or a key that nobody can make again. */
#include <p11-kit/pkcs11.h>

#pragma GCC poison C_InitToken C_CreateObject C_CopyObject C_DestroyObject C_SetAttributeValue
#pragma GCC poison C_GenerateKey C_GenerateKeyPair C_WrapKey C_UnwrapKey C_DeriveKey
#pragma GCC poison C_EncryptInit C_Encrypt C_EncryptUpdate C_EncryptFinal
#pragma GCC poison C_DecryptInit C_Decrypt C_DecryptUpdate C_DecryptFinal
#pragma GCC poison C_DigestInit C_Digest C_DigestUpdate C_DigestKey C_DigestFinal
#pragma GCC poison C_SignInit C_Sign C_SignUpdate C_SignFinal C_SignRecoverInit C_SignRecover
#pragma GCC poison C_VerifyInit C_Verify C_VerifyUpdate C_VerifyFinal
#pragma GCC poison C_VerifyRecoverInit C_VerifyRecover
#pragma GCC poison C_DigestEncryptUpdate C_DecryptDigestUpdate C_SignEncryptUpdate
#pragma GCC poison C_DecryptVerifyUpdate C_SeedRandom C_GenerateRandom
#pragma GCC poison C_GetOperationState C_SetOperationState C_CloseAllSessions
