/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Stands in a text for what a token says of itself, which is never to be renamed. */
#define TOKENCTL_VALUE "\001"

/**
 * TokenctlPukWords:
 * @name: what its owners call the code that the service calls PUK
 * @source: (nullable): where it comes from
 * @loss: (nullable): what is lost with its last try
 *
 * The words of a kind of token for its PUK, in the person's language. The group `PUK` of a module's
 * profile NAME.conf has them; the status key `module-profile` is NAME:
 *
 *   [PUK] Name=, Source=, Loss=   English; Name[tr]= and so on in other languages
 */
typedef struct {
  char *name;
  char *source;
  char *loss;
} TokenctlPukWords;

const TokenctlPukWords *tokenctl_puk_words (const char *profile);
TokenctlPukWords *tokenctl_puk_words_load (const char *profile, const char *directory,
                                           const char *admin_directory);
void tokenctl_puk_words_free (TokenctlPukWords *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlPukWords, tokenctl_puk_words_free)

char *tokenctl_name_puk (const TokenctlPukWords *words, const char *text);
char *tokenctl_name_puk_beside (const TokenctlPukWords *words, const char *text, const char *value);

G_END_DECLS
