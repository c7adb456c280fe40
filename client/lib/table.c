/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include <string.h>
#include <unistd.h>

#include "printable.h"

#define GAP 2

typedef struct {
  char *text;
  TokenctlEmphasis emphasis;
} Cell;

struct _TokenctlTable {
  guint n_columns;
  GArray *cells; /* row by row, the headers first */
};

static void
clear_cell (gpointer data)
{
  g_free (((Cell *) data)->text);
}

/**
 * tokenctl_table_new:
 * @headers: (array zero-terminated=1): the headers, one a column
 */
TokenctlTable *
tokenctl_table_new (const char *const *headers)
{
  TokenctlTable *table = g_new0 (TokenctlTable, 1);

  table->n_columns = g_strv_length ((char **) headers);
  table->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_array_set_clear_func (table->cells, clear_cell);
  for (guint i = 0; i < table->n_columns; i++)
    tokenctl_table_add (table, headers[i], TOKENCTL_EMPHASIS_NONE);
  return table;
}

void
tokenctl_table_free (TokenctlTable *table)
{
  g_array_unref (table->cells);
  g_free (table);
}

/**
 * tokenctl_table_add:
 * @text: the text of the next cell
 * @emphasis: how much it must stand out
 *
 * Adds a cell.
 */
void
tokenctl_table_add (TokenctlTable *table, const char *text, TokenctlEmphasis emphasis)
{
  Cell cell = { tokenctl_printable (text), emphasis };

  g_array_append_val (table->cells, cell);
}

static guint
width_on_screen (const char *text)
{
  guint width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (!g_unichar_iszerowidth (c))
      width += g_unichar_iswide (c) ? 2 : 1;
  }
  return width;
}

static guint
width_of_column (TokenctlTable *table, guint column)
{
  guint widest = 0;

  for (guint i = column; i < table->cells->len; i += table->n_columns)
    widest = MAX (widest, width_on_screen (g_array_index (table->cells, Cell, i).text));
  return widest;
}

static const char *
colour_of (TokenctlEmphasis emphasis)
{
  switch (emphasis) {
  case TOKENCTL_EMPHASIS_LOCKED:
    return "\033[1;31m";
  case TOKENCTL_EMPHASIS_FINAL:
    return "\033[1;35m";
  case TOKENCTL_EMPHASIS_LOW:
    return "\033[33m";
  case TOKENCTL_EMPHASIS_NONE:
  default:
    return NULL;
  }
}

/**
 * tokenctl_emphasised:
 * @text: printable text
 * @emphasis: how much it must stand out
 * @colour: whether to use colours
 *
 * Returns: (transfer full): the text as a terminal shows it
 */
char *
tokenctl_emphasised (const char *text, TokenctlEmphasis emphasis, gboolean colour)
{
  const char *start = colour ? colour_of (emphasis) : NULL;

  return start != NULL ? g_strconcat (start, text, "\033[0m", NULL) : g_strdup (text);
}

/**
 * tokenctl_table_to_text:
 * @table: a table whose last row is complete
 * @colour: whether to use colours
 *
 * Returns: (transfer full): the table, each line with its end
 */
char *
tokenctl_table_to_text (TokenctlTable *table, gboolean colour)
{
  GString *text = g_string_new (NULL);
  g_autofree guint *widths = g_new (guint, table->n_columns);
  guint gap = 0;

  for (guint column = 0; column < table->n_columns; column++)
    widths[column] = width_of_column (table, column);

  for (guint i = 0; i < table->cells->len; i++) {
    const Cell *cell = &g_array_index (table->cells, Cell, i);
    g_autofree char *shown = tokenctl_emphasised (cell->text, cell->emphasis, colour);
    guint column = i % table->n_columns;

    /* The gap goes before the text, so that no line ends in blanks. */
    gap = column == 0 ? 0 : gap;
    if (*cell->text != '\0')
      g_string_append_printf (text, "%*s%s", (int) gap, "", shown);
    gap = widths[column] - width_on_screen (cell->text) + GAP + (*cell->text != '\0' ? 0 : gap);
    if (column == table->n_columns - 1)
      g_string_append_c (text, '\n');
  }
  return g_string_free (text, FALSE);
}

/**
 * tokenctl_colour_wanted:
 * @fd: where the text goes
 *
 * Returns: whether @fd is a terminal with colours, and the person wants them (https://no-color.org)
 */
gboolean
tokenctl_colour_wanted (int fd)
{
  const char *no_color = g_getenv ("NO_COLOR");
  const char *term = g_getenv ("TERM");

  return isatty (fd) && (no_color == NULL || *no_color == '\0') && term != NULL
         && !g_str_equal (term, "dumb");
}
