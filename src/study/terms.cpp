#include "thalweg/study/terms.hpp"

#include <algorithm>

#include "thalweg/core/table.hpp"
#include "thalweg/energy/dirichlet.hpp"
#include "thalweg/energy/penalised.hpp"
#include "thalweg/study/config.hpp"

namespace thalweg {
namespace {

bool on_data(const Settings& s) { return find(collocations(), s.flow.output_points, "flow.output_points").sampled; }

Matrix make_points(const Settings& s, const Learning* learning) {
  if (!learning || !diffuses(s.flow, "output") || on_data(s)) return {};
  return uniform_points(learning->data, s.flow.output_count, s.flow.seed);
}

std::unique_ptr<const Functional> make_dirichlet(const Settings& s, const Learning* learning, const Matrix& points) {
  if (!learning || !diffuses(s.flow, "output")) return nullptr;
  return std::make_unique<const Dirichlet>(learning->model, on_data(s) ? learning->data.train.x : points, on_data(s));
}

std::unique_ptr<const Functional> make_replaced(const Settings& s, const Learning* learning,
                                                const Functional& objective, const Functional* dirichlet) {
  if (dirichlet) return std::make_unique<const Penalised>(objective, s.flow.mu / 2, *dirichlet);
  if (learning || !diffuses(s.flow, "landscape")) return nullptr;
  LandscapeSpec spec = landscape_spec(s);
  spec.heat = s.flow.heat;
  return landscape_for(s.model_kind, spec).make(spec);
}

/// Descents draw afresh at every step; a flow in continuous time keeps its draws, so that it has an energy to descend.
bool draws_afresh(const Settings& s) { return !find(schemes(), s.scheme, "scheme.name").continuous; }

std::unique_ptr<const Smoothing> make_smoothing(const Settings& s) {
  const Draws draws{s.flow.draws, s.stepping.batch.seed, draws_afresh(s)};
  if (diffuses(s.flow, "local-entropy")) return local_entropy(s.flow.entropy, draws);
  if (learns(s) && diffuses(s.flow, "landscape")) return heat_smoothing(s.flow.heat, draws);
  return nullptr;
}

}  // namespace

Terms::Terms(const Settings& s, const Learning* learning, const Functional& objective)
    : points(make_points(s, learning)),
      dirichlet(make_dirichlet(s, learning, points)),
      replaced(make_replaced(s, learning, objective, dirichlet.get())),
      smoothing(make_smoothing(s)),
      energy(replaced ? *replaced : objective) {}

bool diffuses(const FlowSpec& flow, std::string_view slot) {
  const auto filled = split_list(flow.diffusion, '+');
  return std::find(filled.begin(), filled.end(), slot) != filled.end();
}

std::int64_t gradients_an_evaluation(const Settings& s) {
  const auto smoothing = make_smoothing(s);
  return smoothing ? smoothing->gradients() : 1;
}

LandscapeSpec landscape_spec(const Settings& s) {
  LandscapeSpec spec = s.landscape;
  spec.seed = s.model.seed;
  return spec;
}

void require_combinable(const Settings& s) {
  const std::string key = "flow.diffusion: ";
  require(s.flow.diffusion == "none" || !diffuses(s.flow, "none"),
          key + "none does not combine with another slot in " + s.flow.diffusion);
  require(!diffuses(s.flow, "landscape") || !diffuses(s.flow, "local-entropy"),
          key + "landscape and local-entropy are two ways to diffuse one function in " + s.flow.diffusion +
              "; take one of them");
  require(!diffuses(s.flow, "output") || learns(s),
          key + "output is the learned function's slot, and model.kind=" + s.model_kind + " learns none");
  const bool sampled = learns(s) && diffuses(s.flow, "landscape") && draws_afresh(s);
  require(!s.stop.loss || !(sampled || diffuses(s.flow, "local-entropy")),
          "stop.loss: the energy of " + s.flow.diffusion + " under scheme.name=" + s.scheme +
              " is known by its gradient alone; take stop.steps, stop.time or stop.grad_norm");
}

}  // namespace thalweg
