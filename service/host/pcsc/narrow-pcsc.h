/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PC/SC without the functions that send a card or a reader anything. This header is the only way to
 * PC/SC in the service, but for the one file that asks cards. Naming one of the functions below
 * after it does not compile: a command that a card takes for a wrong code costs a try. */
#include <winscard.h>

#pragma GCC poison SCardTransmit SCardControl SCardSetAttrib
