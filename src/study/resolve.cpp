#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {
namespace {

/// A discrete twin brings its diffusion along; stating another one is a contradiction.
void resolve_twin(Settings& s, const std::map<std::string, std::string>& given) {
  const SchemeRow& row = find(schemes(), s.scheme, "scheme.name");
  if (row.twin.empty() || diffuses(s.flow, row.twin)) return;
  require(!given.contains("flow.diffusion"), "scheme.name: " + s.scheme + " is the discrete twin of flow.diffusion=" +
                                                 std::string(row.twin) + ", not of " + s.flow.diffusion);
  s.flow.diffusion = row.twin;
}

}  // namespace

void resolve(Settings& s, const std::map<std::string, std::string>& given) {
  resolve_twin(s, given);
  require(s.flow.diffusion == "none" || !diffuses(s.flow, "none"),
          "flow.diffusion: none does not combine with another slot in " + s.flow.diffusion);
  if (!s.stop.time && !s.stop.steps && !s.stop.loss && !s.stop.grad_norm && !s.stop.wall) s.stop.time = 100;
  require(s.surface.size % 2 == 1, "surface.size: " + std::to_string(s.surface.size) + " is not odd");
  require(s.data.kind == "csv" ? !s.data.file.empty() : true, "data.file: data.kind=csv needs a file");
  require(s.data.file.empty() || s.data.kind == "csv",
          "data.file: " + s.data.file + " is read with data.kind=csv only, not with " + s.data.kind);
}

}  // namespace thalweg
