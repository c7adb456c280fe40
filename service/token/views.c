/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views.h"

/* Finds which views are one token. A module says what it likes, so nothing that is compared is
 * proven. What is found to be one only makes the service more careful, and is shown once.
 *
 * One reader of pcscd holds one token. Without a reader the name tells: manufacturer, model and
 * serial number. A certificate proves nothing, since people own spare tokens with the same one, and
 * copies can be had: tokens with one certificate may be one. */

typedef struct {
  const TokendView *views;
  guint n_views;
  GArray *relations; /* of TokendRelation */
  /* For the view that stands for a card: whether a module shows several PINs of it. */
  gboolean *has_pins;
  /* For two such views, one after the other: whether they have a certificate in common. */
  gboolean *may_be;
} Relating;

static TokendRelation *
get_relation (const Relating *self, guint i)
{
  return &g_array_index (self->relations, TokendRelation, i);
}

static void
relation_clear (gpointer data)
{
  g_clear_pointer (&((TokendRelation *) data)->related, g_array_unref);
}

static gboolean
has_same_name (const TokendView *a, const TokendView *b)
{
  return a->target->is_known_card && g_str_equal (a->target->card, b->target->card);
}

static gboolean
has_same_reader (const TokendView *a, const TokendView *b)
{
  return a->reader != NULL && b->reader != NULL && g_str_equal (a->reader, b->reader);
}

/* Returns: the first view that @is_like finds like the view @i; maybe itself. */
static guint
find_first (const Relating *self, guint i,
            gboolean (*is_like) (const TokendView *a, const TokendView *b))
{
  guint first = 0;

  while (first < i && !is_like (&self->views[i], &self->views[first]))
    first++;
  return first;
}

static gboolean
has_same_name_without_reader (const TokendView *a, const TokendView *b)
{
  return b->reader == NULL && has_same_name (a, b);
}

/* Tells whether everything in the reader of @in_reader has the name of @i, which is in no known
 * reader. A third view with the name of two must not make one of two tokens in two readers. */
static gboolean
is_alone_in_reader (const Relating *self, guint in_reader, guint i)
{
  for (guint j = 0; j < self->n_views; j++)
    if (self->views[j].reader != NULL
        && has_same_reader (&self->views[in_reader], &self->views[j])
               != has_same_name (&self->views[i], &self->views[j]))
      return FALSE;
  return TRUE;
}

static guint
find_card (const Relating *self, guint i)
{
  if (self->views[i].reader != NULL)
    return find_first (self, i, has_same_reader);
  for (guint j = 0; j < self->n_views; j++)
    if (self->views[j].reader != NULL && has_same_name (&self->views[i], &self->views[j]))
      return is_alone_in_reader (self, j, i) ? j
                                             : find_first (self, i, has_same_name_without_reader);
  return find_first (self, i, has_same_name_without_reader);
}

static gboolean
is_one_card (const Relating *self, guint i, guint j)
{
  return get_relation (self, i)->card == get_relation (self, j)->card;
}

/* Tells whether both have one PIN by their targets alone. */
static gboolean
has_same_holder (const TokendView *a, const TokendView *b)
{
  if (!g_str_equal (a->target->card, b->target->card))
    return FALSE;
  return (a->target->shared_by_slots && b->target->shared_by_slots)
         || g_str_equal (a->target->name, b->target->name);
}

static void
group_cards (Relating *self)
{
  for (guint i = 0; i < self->n_views; i++)
    get_relation (self, i)->card = find_card (self, i);
  for (guint i = 0; i < self->n_views; i++)
    for (guint j = 0; j < i; j++)
      if (is_one_card (self, i, j) && self->views[i].module == self->views[j].module
          && !has_same_holder (&self->views[i], &self->views[j]))
        self->has_pins[get_relation (self, i)->card] = TRUE;
}

/* Takes labels of one name for one PIN. Where a module shows several PINs, and another module names
 * them otherwise, which is which is not known. */
static gboolean
are_one_pin (const Relating *self, guint i, guint j)
{
  const TokendView *a = &self->views[i], *b = &self->views[j];

  if (!is_one_card (self, i, j))
    return FALSE;
  if (g_str_equal (a->target->card, b->target->card))
    return has_same_holder (a, b);
  return !self->has_pins[get_relation (self, i)->card];
}

static void
group_pins (Relating *self)
{
  for (guint i = 0; i < self->n_views; i++) {
    guint first = 0;

    while (first < i && !are_one_pin (self, i, first))
      first++;
    get_relation (self, i)->pin = first;
  }
}

/* Returns: whether the module of @a is the better one to operate by: more is known of how, or it
 *   comes first. */
static gboolean
is_better (const TokendView *a, const TokendView *b)
{
  if (!a->can_unlock != !b->can_unlock)
    return a->can_unlock;
  if (!a->can_set_pin != !b->can_set_pin)
    return a->can_set_pin;
  return a->module < b->module;
}

static void
prefer (Relating *self)
{
  for (guint i = 0; i < self->n_views; i++) {
    guint best = i;

    for (guint j = 0; j < self->n_views; j++)
      if (get_relation (self, j)->pin == get_relation (self, i)->pin
          && is_better (&self->views[j], &self->views[best]))
        best = j;
    get_relation (self, i)->is_preferred = self->views[best].module == self->views[i].module;
  }
}

/* Leaves out views of one module, which shows a token by one name. */
static gboolean
have_one_certificate (const TokendView *a, const TokendView *b)
{
  return a->module != b->module && (a->reader == NULL || b->reader == NULL)
         && a->certificate != NULL && b->certificate != NULL
         && g_bytes_equal (a->certificate, b->certificate);
}

static gboolean *
get_may_be (const Relating *self, guint i, guint j)
{
  return &self->may_be[(gsize) get_relation (self, i)->card * self->n_views
                       + get_relation (self, j)->card];
}

static void
compare_certificates (Relating *self)
{
  for (guint i = 0; i < self->n_views; i++)
    for (guint j = 0; j < self->n_views; j++)
      if (have_one_certificate (&self->views[i], &self->views[j]))
        *get_may_be (self, i, j) = TRUE;
}

/* Leaves out views of one name, whose targets are the same already. */
static gboolean
has_other_name (const Relating *self, guint i, guint j)
{
  return !g_str_equal (self->views[i].target->card, self->views[j].target->card);
}

/**
 * tokend_view_was_with:
 * @self: a view.
 * @other: another one, with the same reader.
 *
 * Guards against a card that has left, which a module that is not read still shows.
 *
 * Returns: whether both were in the reader at the same time.
 */
gboolean
tokend_view_was_with (const TokendView *self, const TokendView *other)
{
  return self->seen_at > other->seen_since && other->seen_at > self->seen_since;
}

/* Tells whether both certainly are one card: by name, or because they were in the reader at the
 * same time. */
static gboolean
is_certainly (const Relating *self, guint i, guint j)
{
  return is_one_card (self, i, j)
         && (!has_other_name (self, i, j)
             || tokend_view_was_with (&self->views[i], &self->views[j]));
}

static gboolean
may_certainly_be (const Relating *self, guint i, guint j)
{
  for (guint a = 0; a < self->n_views; a++)
    for (guint b = 0; b < self->n_views && is_certainly (self, i, a); b++)
      if (is_certainly (self, j, b) && have_one_certificate (&self->views[a], &self->views[b]))
        return TRUE;
  return FALSE;
}

static void
list_some (Relating *self, guint i, gboolean are_one, gboolean are_certain)
{
  for (guint j = 0; j < self->n_views; j++) {
    if (!has_other_name (self, i, j) || is_one_card (self, i, j) != are_one
        || (!are_one && !*get_may_be (self, i, j)))
      continue;
    if ((are_one ? is_certainly (self, i, j) : may_certainly_be (self, i, j)) == are_certain)
      g_array_append_val (get_relation (self, i)->related, j);
  }
}

static void
list_related (Relating *self, guint i)
{
  TokendRelation *relation = get_relation (self, i);

  relation->related = g_array_new (FALSE, FALSE, sizeof (guint));
  list_some (self, i, TRUE, TRUE);
  relation->first_doubtful = relation->related->len;
  list_some (self, i, TRUE, FALSE);
  relation->n_one = relation->related->len;
  list_some (self, i, FALSE, FALSE);
  relation->n_doubtful = relation->related->len - relation->first_doubtful;
  list_some (self, i, FALSE, TRUE);
}

/* Sums up only within one reader. By its name alone a token may be mistaken for another one. */
static void
sum_up_shown (Relating *self, guint i)
{
  TokendRelation *relation = get_relation (self, i);

  for (guint j = 0; j < self->n_views; j++) {
    const TokendView *other = &self->views[j];

    if (self->views[i].reader == NULL || other->reader == NULL
        || other->module == self->views[i].module || get_relation (self, j)->pin != relation->pin)
      continue;
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      relation->shown[role].locked |= other->shown[role] == TOKEND_STATE_LOCKED;
      relation->shown[role].final_try |= other->shown[role] == TOKEND_STATE_FINAL_TRY;
    }
  }
}

/**
 * tokend_views_relate:
 * @views: (array length=n_views): all that modules show now, by the rank of the modules.
 *
 * Returns: (transfer full) (element-type TokendRelation): the relation of each.
 */
GArray *
tokend_views_relate (const TokendView *views, guint n_views)
{
  g_autofree gboolean *has_pins = g_new0 (gboolean, n_views);
  g_autofree gboolean *may_be = g_new0 (gboolean, (gsize) n_views * n_views);
  Relating self = { .views = views,
                    .n_views = n_views,
                    .relations = g_array_new (FALSE, TRUE, sizeof (TokendRelation)),
                    .has_pins = has_pins,
                    .may_be = may_be };

  g_array_set_clear_func (self.relations, relation_clear);
  g_array_set_size (self.relations, n_views);
  group_cards (&self);
  group_pins (&self);
  prefer (&self);
  compare_certificates (&self);
  for (guint i = 0; i < n_views; i++) {
    list_related (&self, i);
    sum_up_shown (&self, i);
  }
  return self.relations;
}

/* Adds the reader, since another token may have the name too, in another reader or in none; see
 * find_card(). */
static char *
name_in_reader (const TokendView *self, const char *name)
{
  return self->reader != NULL ? g_strdup_printf ("%s %s", name, self->reader) : g_strdup (name);
}

/**
 * tokend_view_name_card:
 * @self: a view that stands for all of the same physical token.
 *
 * Returns: (transfer full): a text that is unique among the views that stand for others. The name
 *   of a card without a serial number is not.
 */
char *
tokend_view_name_card (const TokendView *self)
{
  return name_in_reader (self, self->target->is_known_card ? self->target->card : self->path);
}

/**
 * tokend_view_name_pin:
 * @self: a view that stands for all of the same PIN.
 *
 * Returns: (transfer full): a text that is unique among the views that stand for others.
 */
char *
tokend_view_name_pin (const TokendView *self)
{
  return name_in_reader (self, self->target->is_known_card ? tokend_target_get_holder (self->target)
                                                           : self->path);
}
