#include <algorithm>
#include <ostream>

#include "thalweg/core/table.hpp"
#include "thalweg/diagnose/directions.hpp"
#include "thalweg/energy/dirichlet.hpp"
#include "thalweg/energy/landscapes.hpp"
#include "thalweg/energy/risk.hpp"
#include "thalweg/flow/gradient_flow.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/limits.hpp"
#include "thalweg/study/methods.hpp"
#include "thalweg/study/recorder.hpp"
#include "thalweg/study/slices.hpp"
#include "thalweg/study/spectra.hpp"

namespace thalweg {
namespace {

using Cells = std::vector<std::string>;

struct Listing {
  std::string name;
  Cells columns;
  std::vector<Cells> rows;
};

template <class Row, class Extra>
Listing listing(std::string name, std::span<const Row> table, Cells columns, Extra extra) {
  Listing result{std::move(name), {"name"}, {}};
  result.columns.insert(result.columns.end(), columns.begin(), columns.end());
  result.columns.emplace_back("meaning");
  for (const Row& row : table) {
    Cells cells{"`" + std::string(row.name) + "`"};
    for (const auto& cell : extra(row)) cells.push_back(cell);
    cells.emplace_back(row.what);
    result.rows.push_back(std::move(cells));
  }
  return result;
}

template <class Row>
Listing listing(std::string name, std::span<const Row> table) {
  return listing(std::move(name), table, {}, [](const Row&) { return Cells{}; });
}

std::string code(std::string_view text) { return text.empty() ? "" : "`" + std::string(text) + "`"; }

std::string part_name(Part part) {
  switch (part) {
    case Part::none:
      return "nothing";
    case Part::slow:
      return "slow part";
    case Part::stiff:
      return "stiff part";
    case Part::all:
      return "everything";
  }
  return {};
}

std::vector<Listing> listings() {
  return {
      listing("commands", commands()),
      listing("data", data_kinds(), {"dials"}, [](const DataKind& r) { return Cells{code(r.dials)}; }),
      listing("noise", noise_kinds()),
      listing("activations", activations()),
      listing("losses", losses()),
      listing("scalings", scalings()),
      listing("landscapes", landscapes(), {"formula", "dials"},
              [](const Landscape& r) {
                return Cells{code(r.formula), code(r.dials)};
              }),
      listing("diffusions", diffusions(), {"equation"}, [](const Diffusion& r) { return Cells{code(r.equation)}; }),
      listing("collocations", collocations()),
      listing("lattices", lattices()),
      listing("schemes", schemes(), {"family", "order", "implicit", "adaptive"},
              [](const SchemeRow& r) {
                return Cells{std::string(r.family), r.fixed ? std::to_string(r.order) : "varies", part_name(r.implicit),
                             !r.fixed     ? "always"
                             : r.adaptive ? "yes"
                                          : "no"};
              }),
      listing("adaptors", adaptors()),
      listing("schedules", schedules(), {"step"}, [](const ScheduleKind& r) { return Cells{code(r.formula)}; }),
      listing("samplings", samplings()),
      listing("probes", probes(), {"unit"}, [](const Probe& r) { return Cells{std::string(r.unit)}; }),
      listing("directions", direction_kinds()),
      listing("precisions", surface_precisions()),
      listing("spectra", spectra()),
      listing("methods", methods(), {"keys", "gain"},
              [](const Method& r) {
                return Cells{code(r.keys), code(r.gain)};
              }),
      listing("matchings", matchings()),
      listing("limits", limit_kinds(), {"rate"}, [](const LimitKind& r) { return Cells{std::string(r.rate)}; }),
  };
}

/// A Markdown table, so that what the program says can stand in a document as it is. Bars inside cells are escaped.
void print(const Listing& listing, std::ostream& out) {
  out << "### " << listing.name << "\n\n|";
  for (const auto& column : listing.columns) out << ' ' << column << " |";
  out << "\n|";
  for (std::size_t j = 0; j < listing.columns.size(); ++j) out << "---|";
  out << '\n';
  for (const auto& row : listing.rows) {
    out << '|';
    for (std::string cell : row) {
      for (auto at = cell.find('|'); at != std::string::npos; at = cell.find('|', at + 2)) cell.insert(at, "\\");
      out << ' ' << cell << " |";
    }
    out << '\n';
  }
  out << '\n';
}

}  // namespace

int list(const Request& request, const Console& console) {
  const auto all = listings();
  for (const auto& word : request.words) print(find(std::span<const Listing>(all), word, "list"), console.out);
  if (request.words.empty())
    for (const Listing& one : all) print(one, console.out);
  return 0;
}

}  // namespace thalweg
