/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendProvider:
 * @name: what people call it
 * @puk_page: (nullable): the address of the page that gives the PUK, https alone
 * @puk_help: (nullable): how to get the PUK, and what one needs at hand
 * @support_line: (nullable): its telephone number
 * @loss: (nullable): what is lost after how many wrong PUKs
 *
 * Who issued the certificate, as a person must know it, in the person's language. The group
 * `Provider` of a profile NAME.conf has it; the status key `provider` is NAME:
 *
 *   [Provider] Name=, PukPage=, SupportLine= PukHelp=, Loss=   English; PukHelp[tr]= and so on in
 *   other languages
 *
 * A file of the same name in the administrator's folder overrides it key by key.
 */
typedef struct {
  char *name;
  char *puk_page;
  char *puk_help;
  char *support_line;
  char *loss;
} TokendProvider;

TokendProvider *tokend_provider_load (const char *name, const char *directory,
                                      const char *admin_directory);
void tokend_provider_free (TokendProvider *provider);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendProvider, tokend_provider_free)

G_END_DECLS
