/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-words.h"

#include <string.h>

/* Where distributions have it: what OpenSC was built with, it does not tell. */
static const char *const files[] = { "/etc/opensc/opensc.conf", "/etc/opensc.conf" };

/* The blocks "app NAME" that OpenSC's PKCS#11 modules heed. */
static const char *const apps[] = { "opensc-pkcs11", "onepin-opensc-pkcs11", "default", NULL };

/* Reads as OpenSC's src/scconf does. */
typedef struct {
  const char *text;
  GPtrArray *statement; /* of char *: the words since the last punctuation */
  char *key;            /* of the value that the words are; NULL: they are none */
  guint depth;
  gboolean is_heeded; /* the block, at the depth of 1, is one of @apps */
  gboolean is_default;
  gboolean has_drivers_of_default;
  TokendOpenscWords *words;
} Reader;

static void
take_word (Reader *reader, gsize length)
{
  g_ptr_array_add (reader->statement, g_strndup (reader->text, length));
  reader->text += length;
}

static void
take_quoted_word (Reader *reader)
{
  reader->text++;
  take_word (reader, strcspn (reader->text, "\"\r\n"));
  if (*reader->text == '"')
    reader->text++;
}

static void
move_statement (Reader *reader, GPtrArray *list)
{
  for (guint i = 0; i < reader->statement->len; i++)
    g_ptr_array_add (list, g_strdup (reader->statement->pdata[i]));
}

/* The block "default" comes last, and its drivers stand above the others. */
static void
take_drivers (Reader *reader)
{
  if (reader->statement->len == 0 || (reader->has_drivers_of_default && !reader->is_default))
    return;
  g_ptr_array_set_size (reader->words->card_drivers, 0);
  move_statement (reader, reader->words->card_drivers);
  reader->has_drivers_of_default = reader->has_drivers_of_default || reader->is_default;
}

static void
end_statement (Reader *reader)
{
  if (reader->key != NULL && reader->depth == 1 && reader->is_heeded) {
    if (g_ascii_strcasecmp (reader->key, "ignored_readers") == 0)
      move_statement (reader, reader->words->ignored_readers);
    else if (g_ascii_strcasecmp (reader->key, "card_drivers") == 0)
      take_drivers (reader);
  }
  g_clear_pointer (&reader->key, g_free);
  g_ptr_array_set_size (reader->statement, 0);
}

static gboolean
is_word (const GPtrArray *statement, guint i, const char *word)
{
  return g_ascii_strcasecmp (statement->pdata[i], word) == 0;
}

static void
begin_block (Reader *reader)
{
  const GPtrArray *statement = reader->statement;

  if (reader->depth++ == 0) {
    const gboolean is_app = statement->len == 2 && is_word (statement, 0, "app");

    reader->is_heeded = FALSE;
    for (guint i = 0; apps[i] != NULL; i++)
      reader->is_heeded = reader->is_heeded || (is_app && is_word (statement, 1, apps[i]));
    reader->is_default = is_app && is_word (statement, 1, "default");
  }
  g_clear_pointer (&reader->key, g_free);
  g_ptr_array_set_size (reader->statement, 0);
}

/* Ends the value before, where its semicolon is missing. */
static void
take_key (Reader *reader)
{
  const guint n_words = reader->statement->len;
  g_autofree char *key =
      n_words > 0 ? g_ptr_array_steal_index (reader->statement, n_words - 1) : NULL;

  end_statement (reader);
  reader->key = g_steal_pointer (&key);
}

static void
take_punctuation (Reader *reader)
{
  switch (*reader->text++) {
  case '=':
    take_key (reader);
    break;
  case ';':
    end_statement (reader);
    break;
  case '{':
    begin_block (reader);
    break;
  case '}':
    end_statement (reader);
    if (reader->depth > 0)
      reader->depth--;
    break;
  default: /* a comma or a blank */
    break;
  }
}

/**
 * tokend_opensc_words_parse:
 * @text: of an opensc.conf
 *
 * Returns: (transfer full): what it says that is to be left alone
 */
TokendOpenscWords *
tokend_opensc_words_parse (const char *text)
{
  Reader reader = { .text = text, .statement = g_ptr_array_new_with_free_func (g_free) };

  reader.words = g_new0 (TokendOpenscWords, 1);
  reader.words->ignored_readers = g_ptr_array_new_with_free_func (g_free);
  reader.words->card_drivers = g_ptr_array_new_with_free_func (g_free);
  while (*reader.text != '\0') {
    if (*reader.text == '#')
      reader.text += strcspn (reader.text, "\r\n");
    else if (*reader.text == '"')
      take_quoted_word (&reader);
    else if (strchr ("=;{}, \t\r\n", *reader.text) != NULL)
      take_punctuation (&reader);
    else
      take_word (&reader, strcspn (reader.text, ";, \t\r\n"));
  }
  g_free (reader.key);
  g_ptr_array_unref (reader.statement);
  return reader.words;
}

/**
 * tokend_opensc_words_load:
 *
 * Returns: (transfer full): what the system's file says; nothing if there is none that can be read
 */
TokendOpenscWords *
tokend_opensc_words_load (void)
{
  g_autofree char *text = NULL;

  for (gsize i = 0; text == NULL && i < G_N_ELEMENTS (files); i++)
    g_file_get_contents (files[i], &text, NULL, NULL);
  return tokend_opensc_words_parse (text != NULL ? text : "");
}

/**
 * tokend_opensc_words_ignore:
 * @reader: as pcscd calls it
 *
 * Returns: whether the reader, and the card in it, is to be left alone
 */
gboolean
tokend_opensc_words_ignore (const TokendOpenscWords *self, const char *reader)
{
  for (guint i = 0; i < self->ignored_readers->len; i++)
    if (strstr (reader, self->ignored_readers->pdata[i]) != NULL)
      return TRUE;
  return FALSE;
}

void
tokend_opensc_words_free (TokendOpenscWords *self)
{
  g_ptr_array_unref (self->ignored_readers);
  g_ptr_array_unref (self->card_drivers);
  g_free (self);
}
