/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relate.h"

#include "module.h"
#include "token.h"
#include "views.h"

#include <sys/random.h>

#define KEY_SIZE 32

/*
 * The keys `card-id` and `pin-id` of a status: what is one has the same. They are made of the names
 * of tokens by the key of this process, and so tell nobody anything but that, and are other ones
 * after a restart.
 */

GBytes *
tokend_relate_make_key (void)
{
  guint8 key[KEY_SIZE];

  /* The kernel gives up to 256 bytes whole. */
  if (getrandom (key, sizeof key, 0) != sizeof key)
    g_error ("getrandom: no random bytes");
  return g_bytes_new (key, sizeof key);
}

static char *
make_key (TokendService *service, const char *kind, const char *name)
{
  g_autofree char *text = g_strconcat (kind, " ", name, NULL);

  return g_compute_hmac_for_string (G_CHECKSUM_SHA256, g_bytes_get_data (service->key, NULL),
                                    g_bytes_get_size (service->key), text, -1);
}

static GPtrArray *
list_related (const GPtrArray *tokens, const GArray *indexes)
{
  GPtrArray *targets = g_ptr_array_new ();

  for (guint i = 0; i < indexes->len; i++)
    g_ptr_array_add (targets, (gpointer) tokend_token_get_target (
                                  tokens->pdata[g_array_index (indexes, guint, i)]));
  return targets;
}

static void
tell (TokendService *service, const GPtrArray *tokens, const TokendView *views, guint i,
      const TokendRelation *relation)
{
  g_autofree char *card = tokend_view_name_card (&views[relation->card]);
  g_autofree char *pin = tokend_view_name_pin (&views[relation->pin]);
  g_autofree char *card_id = make_key (service, "card", card);
  g_autofree char *pin_id = make_key (service, "pin", pin);
  g_autoptr (GPtrArray) related = list_related (tokens, relation->related);
  const TokendRelations relations = { .card_id = card_id,
                                      .pin_id = pin_id,
                                      .is_preferred = relation->is_preferred,
                                      .shown = { relation->shown[TOKEND_ROLE_PIN],
                                                 relation->shown[TOKEND_ROLE_PUK] } };

  tokend_token_set_relations (tokens->pdata[i], &relations, related, relation->first_doubtful,
                              relation->n_doubtful, relation->n_one);
}

/**
 * tokend_relate:
 *
 * Finds out which tokens are one, after some came, left, or were read. Tells each of them, and the
 * subscribers if it is news.
 */
void
tokend_relate (TokendService *service)
{
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GArray) views = g_array_new (FALSE, TRUE, sizeof (TokendView));
  g_autoptr (GArray) relations = NULL;

  for (guint i = 0; i < service->modules->len; i++) {
    GPtrArray *shown = tokend_module_get_tokens (service->modules->pdata[i]);

    for (guint j = 0; j < shown->len; j++) {
      const TokendView view = tokend_token_make_view (shown->pdata[j], i);

      g_array_append_val (views, view);
      g_ptr_array_add (tokens, g_object_ref (shown->pdata[j]));
    }
  }
  relations = tokend_views_relate ((const TokendView *) (const void *) views->data, views->len);
  for (guint i = 0; i < tokens->len; i++)
    tell (service, tokens, (const TokendView *) (const void *) views->data, i,
          &g_array_index (relations, TokendRelation, i));
}
