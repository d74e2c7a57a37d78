#include <algorithm>

#include "key_types.hpp"
#include "thalweg/diagnose/directions.hpp"
#include "thalweg/energy/diffusion.hpp"
#include "thalweg/energy/dirichlet.hpp"
#include "thalweg/energy/landscapes.hpp"
#include "thalweg/energy/risk.hpp"
#include "thalweg/flow/gradient_flow.hpp"
#include "thalweg/study/limits.hpp"
#include "thalweg/study/methods.hpp"
#include "thalweg/study/recorder.hpp"
#include "thalweg/study/slices.hpp"
#include "thalweg/study/spectra.hpp"

namespace thalweg {
namespace {

using namespace key;

Key hidden_key() {
  const std::string name = "model.hidden";
  return {name, "units", "widths of the hidden layers, comma-separated; none: a linear model",
          [=](Settings& s, const std::string& value) {
            s.model.hidden.clear();
            if (value == "none") return;
            require(!split_list(value).empty(), name + ": '" + value + "' holds no width; none: a linear model");
            for (const auto& word : split_list(value)) {
              s.model.hidden.push_back(to_whole<Index>(word, name));
              Range{1}.check(name, static_cast<double>(s.model.hidden.back()));
            }
          },
          [](const Settings& s) {
            std::vector<std::string> widths;
            for (const Index n : s.model.hidden) widths.push_back(std::to_string(n));
            return widths.empty() ? "none" : joined(widths, ',');
          }};
}

Key kind_key() {
  const std::string name = "model.kind";
  return {name, "", "mlp: a network on data; or an analytic landscape, see `list landscapes`",
          [=](Settings& s, const std::string& value) {
            auto valid = names(landscapes());
            valid.insert(valid.begin(), "mlp");
            require(std::find(valid.begin(), valid.end(), value) != valid.end(),
                    name + ": no '" + value + "'; " + suggestion(value, valid));
            s.model_kind = value;
          },
          [](const Settings& s) { return s.model_kind; }};
}

Key loss_key() {
  const std::string name = "model.loss";
  return {name, "", "see `list losses`; auto: logistic for two classes, softmax for more",
          [=](Settings& s, const std::string& value) {
            if (value != "auto") find(losses(), value, name);
            s.model.loss = value;
          },
          [](const Settings& s) { return s.model.loss; }};
}

Key diffusion_key() {
  const std::string name = "flow.diffusion";
  return {name, "", "what diffuses, see `list diffusions`; slots combine with +",
          [=](Settings& s, const std::string& value) {
            const auto words = split_list(value, '+');
            require(!words.empty(),
                    name + ": '" + value + "' holds no name; " + suggestion(value, names(diffusions())));
            for (const auto& word : words) find(diffusions(), word, name);
            s.flow.diffusion = value;
          },
          [](const Settings& s) { return s.flow.diffusion; }};
}

Key evaluate_split_key() {
  const std::string name = "evaluate.split";
  return {name, "", "which samples: train, validation, test or all",
          [=](Settings& s, const std::string& value) {
            static const std::vector<std::string> valid{"train", "validation", "test", "all"};
            require(std::find(valid.begin(), valid.end(), value) != valid.end(),
                    name + ": no '" + value + "'; " + suggestion(value, valid));
            s.evaluate_split = value;
          },
          [](const Settings& s) { return s.evaluate_split; }};
}

Key shard_key() {
  const std::string name = "study.shard";
  return {name, "", "i/n: only the i-th of n parts of the runs, for a batch job each; join them by study.merge",
          [=](Settings& s, const std::string& value) {
            const auto slash = value.find('/');
            require(slash != std::string::npos, name + ": '" + value + "' is not of the form i/n, such as 1/4");
            const int part = to_whole<int>(value.substr(0, slash), name),
                      parts = to_whole<int>(value.substr(slash + 1), name);
            require(1 <= part && part <= parts,
                    name + ": there is no part " + value + "; the first is 1/n, the last n/n");
            s.study.shard = value;
          },
          [](const Settings& s) { return s.study.shard; }};
}

std::vector<Key> data_keys() {
  const auto in = [](auto member) { return path(&Settings::data, member); };
  return {
      choice("data.kind", "see `list data`", data_kinds(), in(&DataSpec::kind)),
      whole("data.samples", "samples", "training samples (csv: the file decides)", {1}, in(&DataSpec::samples)),
      whole("data.validation_samples", "samples", "validation samples (csv: validation_share)", {1},
            in(&DataSpec::validation_samples)),
      whole("data.test_samples", "samples", "test samples (csv: test_share)", {1}, in(&DataSpec::test_samples)),
      choice("data.noise_kind", "how training labels go wrong, see `list noise`", noise_kinds(),
             in(&DataSpec::noise_kind)),
      real("data.noise", "1", "rate rho of wrong training labels", share, in(&DataSpec::noise)),
      real("data.noise_length", "data units", "boundary noise: decay length ell", positive,
           in(&DataSpec::noise_length)),
      text("data.noise_matrix", "class noise: rows of P(label | clean), such as 0.9,0.1;0.2,0.8",
           in(&DataSpec::noise_matrix)),
      flag("data.parallel", "train under mpirun: one run on all ranks, each batch dealt among them",
           path(&Settings::data_parallel)),
      whole("data.seed", "", "seed of points and label noise", not_negative, in(&DataSpec::seed)),
      real("data.turns", "revolutions", "spirals: length of an arm", positive, in(&DataSpec::turns)),
      real("data.amplitude", "data units", "sine: amplitude A of the boundary", any, in(&DataSpec::amplitude)),
      real("data.frequency", "1", "sine: periods k of the boundary; largest curvature A (2 pi k)^2", any,
           in(&DataSpec::frequency)),
      whole("data.rings", "", "rings: number of annuli", {2}, in(&DataSpec::rings)),
      whole("data.grid", "", "islands: K of the K x K grid of blobs", {2}, in(&DataSpec::grid)),
      real("data.spread", "data units", "islands, gaussians: standard deviation of a blob", positive,
           in(&DataSpec::spread)),
      real("data.distance", "data units", "gaussians: distance of the centres", not_negative, in(&DataSpec::distance)),
      real("data.jitter", "data units", "spirals, moons, circles: standard deviation of the points about their curve",
           not_negative, in(&DataSpec::jitter)),
      text("data.file", "csv: the table", in(&DataSpec::file)),
      text("data.label_column", "csv: name or position, from 1, of the label; not given: the last column",
           in(&DataSpec::label_column)),
      real("data.validation_share", "1", "csv: share of the rows for validation", share,
           in(&DataSpec::validation_share)),
      real("data.test_share", "1", "csv: share of the rows for testing", share, in(&DataSpec::test_share)),
  };
}

std::vector<Key> model_keys() {
  const auto in = [](auto member) { return path(&Settings::model, member); };
  const auto landscape = [](auto member) { return path(&Settings::landscape, member); };
  return {
      kind_key(),
      hidden_key(),
      choice("model.activation", "see `list activations`", activations(), in(&ModelSpec::activation)),
      loss_key(),
      choice("model.scaling", "see `list scalings`", scalings(), in(&ModelSpec::scaling)),
      real("model.weight_decay", "1/time", "lambda of (lambda/2)|theta|^2 in the objective", not_negative,
           in(&ModelSpec::weight_decay)),
      whole("model.seed", "", "seed of the initial weights; of model.rotated", not_negative, in(&ModelSpec::seed)),
      whole("model.dimension", "", "landscapes: number of parameters", {1}, landscape(&LandscapeSpec::dimension)),
      real("model.condition", "1", "quadratic: largest eigenvalue, the least is 1", {1},
           landscape(&LandscapeSpec::condition)),
      flag("model.rotated", "quadratic: a random orthonormal basis of eigenvectors instead of the axes",
           landscape(&LandscapeSpec::rotated)),
  };
}

std::vector<Key> flow_keys() {
  const auto in = [](auto member) { return path(&Settings::flow, member); };
  const auto entropy = [](auto member) { return path(&Settings::flow, &FlowSpec::entropy, member); };
  return {
      diffusion_key(),
      choice("flow.lattice", "where K acts, see `list lattices`", lattices(), in(&FlowSpec::lattice)),
      real("flow.nu", "1/(time eigenvalue of K)", "weights: strength nu of the heat flow of the weights", not_negative,
           in(&FlowSpec::nu)),
      real("flow.sigma", "1/eigenvalue of K", "gradient: sigma of the metric (I + sigma K)^power", not_negative,
           in(&FlowSpec::sigma)),
      whole("flow.power", "", "gradient: power m of the metric, 1 or 2", {1, 3}, in(&FlowSpec::power)),
      optional("flow.gamma", "1/time",
               "friction of the heavy ball theta'' + gamma theta' = -grad E; not given: the flow of first order",
               not_negative, in(&FlowSpec::gamma)),
      real("flow.mu", "loss data units^2", "output: weight mu of (mu/2) D, D = mean_x |grad_x f|^2", not_negative,
           in(&FlowSpec::mu)),
      choice("flow.output_points", "output: where D is taken, see `list collocations`", collocations(),
             in(&FlowSpec::output_points)),
      whole("flow.output_count", "points", "output: number of uniform points", {1}, in(&FlowSpec::output_count)),
      real("flow.heat", "parameter^2", "landscape: heat time s; smooths at the standard deviation sqrt(2 s)",
           not_negative, in(&FlowSpec::heat)),
      whole("flow.draws", "pairs", "landscape, local-entropy: antithetic pairs of draws a gradient; seed scheme.seed",
            {1}, in(&FlowSpec::draws)),
      real("flow.scope", "time", "local-entropy: gamma, how far the neighbourhood reaches", positive,
           entropy(&LocalEntropy::scope)),
      real("flow.inner_tau", "loss", "local-entropy: temperature; 0: the Moreau envelope", not_negative,
           entropy(&LocalEntropy::tau)),
      whole("flow.inner_steps", "steps", "local-entropy: length of the inner Langevin chain", {1},
            entropy(&LocalEntropy::steps)),
      real("flow.inner_step", "time", "local-entropy: step of the chain; times (sharpness + 1/gamma) below 2", positive,
           entropy(&LocalEntropy::step)),
      real("flow.inner_average", "1", "local-entropy: memory of the chain's running mean", share,
           entropy(&LocalEntropy::average)),
      real("flow.tau", "loss", "law: temperature tau of the noise sqrt(2 tau) dW; seed scheme.seed", not_negative,
           in(&FlowSpec::tau)),
      whole("flow.seed", "", "seed of the permuted lattice and of uniform points", not_negative, in(&FlowSpec::seed)),
  };
}

std::vector<Key> scheme_keys() {
  const auto in = [](auto member) { return path(&Settings::stepping, member); };
  const auto batch = [](auto member) { return path(&Settings::stepping, &SchemeSettings::batch, member); };
  const auto schedule = [](auto member) { return path(&Settings::stepping, &SchemeSettings::schedule, member); };
  return {
      choice("scheme.name", "see `list schemes`", schemes(), path(&Settings::scheme), refused_schemes()),
      real("scheme.step", "time", "step eta; the first guess where the scheme adapts", positive,
           in(&SchemeSettings::step)),
      optional("scheme.rtol", "1",
               "relative tolerance; given: the scheme adapts its step (1e-6 where it cannot do otherwise)",
               not_negative, in(&SchemeSettings::rtol)),
      optional("scheme.atol", "parameter", "absolute tolerance; given: the scheme adapts its step", not_negative,
               in(&SchemeSettings::atol)),
      choice("scheme.adapt", "how PETSc's schemes choose the next step, see `list adaptors`", adaptors(),
             in(&SchemeSettings::adapt), refused_adaptors()),
      real("scheme.theta", "1", "theta: weight of the new state, from 0 (forward) to 1 (backward Euler)", not_negative,
           in(&SchemeSettings::theta)),
      optional("scheme.stages", "", "stages of schemes whose number is free; not given: the scheme's own", {1},
               in(&SchemeSettings::stages)),
      real("scheme.momentum", "1", "momentum, nesterov: beta", share, in(&SchemeSettings::momentum)),
      real("scheme.beta1", "1", "adam: memory of the mean gradient", share, in(&SchemeSettings::beta1)),
      real("scheme.beta2", "1", "adam: memory of the mean square", share, in(&SchemeSettings::beta2)),
      real("scheme.epsilon", "loss/parameter", "adam: added to the root of the mean square", positive,
           in(&SchemeSettings::epsilon)),
      real("scheme.rho", "parameter", "sam: how far uphill the gradient is taken", not_negative,
           in(&SchemeSettings::rho)),
      optional("scheme.clip", "loss/parameter", "descents: longer gradients are cut to this norm", positive,
               in(&SchemeSettings::clip)),
      real("scheme.decay", "1/time", "descents: decoupled decay, theta <- (1 - step decay) theta; step decay < 1",
           not_negative, in(&SchemeSettings::decay)),
      choice("scheme.schedule", "descents: how the step changes, see `list schedules`", schedules(),
             schedule(&StepSchedule::kind)),
      optional("scheme.period", "steps", "length of the schedule (cosine: to the end of stop.steps)", {1},
               schedule(&StepSchedule::period)),
      real("scheme.factor", "1", "schedule step: what each period multiplies the step by", {0, 1, true},
           schedule(&StepSchedule::factor)),
      whole("scheme.warmup", "steps", "descents: so many steps rise linearly to the full one, then the schedule starts",
            not_negative, schedule(&StepSchedule::warmup)),
      whole("scheme.batch", "samples", "batch size; 0: the whole training set", not_negative, batch(&BatchPlan::size)),
      choice("scheme.sampling", "how batches are drawn, see `list samplings`", samplings(),
             batch(&BatchPlan::sampling)),
      whole("scheme.seed", "", "seed of batches, noise and draws", not_negative, batch(&BatchPlan::seed)),
  };
}

std::vector<Key> run_keys() {
  const auto stop = [](auto member) { return path(&Settings::stop, member); };
  const auto record = [](auto member) { return path(&Settings::record, member); };
  return {
      optional("stop.time", "time", "training time T (100 where no stop is given)", positive, stop(&StopSpec::time)),
      optional("stop.steps", "steps", "number of steps", {1}, stop(&StopSpec::steps)),
      optional("stop.gradients", "gradients", "at or above; those that the scheme takes", {1},
               stop(&StopSpec::gradients)),
      optional("stop.loss", "loss", "energy at or below; costs an evaluation a step", any, stop(&StopSpec::loss)),
      optional("stop.grad_norm", "1", "norm of the velocity at or below; costs a gradient a step", not_negative,
               stop(&StopSpec::grad_norm)),
      optional("stop.wall", "seconds", "wall-clock time", positive, stop(&StopSpec::wall)),
      whole("record.count", "", "record at so many equal intervals of the run", {1}, record(&RecordSpec::count)),
      whole("record.every", "steps", "and after each so many steps; 0: not", not_negative, record(&RecordSpec::every)),
      whole("record.checkpoint", "steps",
            "train: between two checkpoints, from which a killed run goes on when its command with the same out.dir is "
            "repeated; 0: none",
            not_negative, record(&RecordSpec::checkpoint)),
      choices("record.probes", "what to record, comma-separated, see `list probes`; not given: all but the costly",
              probes(), record(&RecordSpec::probes)),
  };
}

Key size_key() {
  const std::string name = "surface.size";
  return {name, "nodes", "odd number of nodes along every axis, or along each, comma-separated; 1: no surface",
          [=](Settings& s, const std::string& value) {
            s.surface.size.clear();
            require(!split_list(value).empty(), name + ": '" + value + "' holds no number");
            for (const auto& word : split_list(value)) {
              s.surface.size.push_back(to_whole<int>(word, name));
              Range{1}.check(name, s.surface.size.back());
            }
          },
          [](const Settings& s) {
            std::vector<std::string> sizes;
            for (const int n : s.surface.size) sizes.push_back(std::to_string(n));
            return joined(sizes, ',');
          }};
}

std::vector<Key> picture_keys() {
  const auto in = [](auto member) { return path(&Settings::surface, member); };
  return {
      choice("surface.directions", "see `list directions`", direction_kinds(), in(&SurfaceSpec::directions)),
      whole("surface.dimensions", "", "surface: 1, a line; 2, a plane; 3, a volume", {1, 4},
            in(&SurfaceSpec::dimensions)),
      size_key(),
      reals(
          "surface.radius", "direction",
          "half width along every axis, or along each; not given: holds the path, or what the directions are made for",
          positive, in(&SurfaceSpec::radius)),
      choices("surface.values", "surface: what is measured, see `list probes`; the loss always is", probes(),
              in(&SurfaceSpec::values)),
      choice("surface.precision", "of the loss, see `list precisions`", surface_precisions(),
             in(&SurfaceSpec::precision)),
      words("surface.runs",
            "surface: directories of further runs, comma-separated: their paths are drawn, and directions=points lead "
            "through their ends",
            in(&SurfaceSpec::runs)),
      reals("surface.heat", "direction^2", "surface: heat times at which it is also smoothed", not_negative,
            in(&SurfaceSpec::heat)),
      real("surface.bezier", "time",
           "surface: training time of a quadratic Bezier path of low loss to the first of surface.runs; 0: none",
           not_negative, in(&SurfaceSpec::bezier)),
      optional("surface.persistence", "loss",
               "surface: depth of the shallowest basin that counts (a hundredth of the way "
               "from the lowest value to the median where not given)",
               not_negative, in(&SurfaceSpec::persistence)),
      whole("surface.seed", "", "seed of random directions", not_negative, in(&SurfaceSpec::seed)),
      whole("decision.size", "nodes", "nodes along an axis of the decision field (two features); 0: none", not_negative,
            path(&Settings::decision_size)),
  };
}

std::vector<Key> spectrum_keys() {
  const auto in = [](auto member) { return path(&Settings::spectrum, member); };
  return {
      choice("spectrum.matrix", "see `list spectra`", spectra(), in(&SpectrumSpec::matrix)),
      whole("spectrum.count", "pairs", "largest eigenvalues with their vectors", {1}, in(&SpectrumSpec::count)),
      whole("spectrum.bottom", "pairs", "smallest eigenvalues with their vectors", not_negative,
            in(&SpectrumSpec::bottom)),
      real("spectrum.tolerance", "1", "of a pair's residual, in units of the largest |eigenvalue|", positive,
           in(&SpectrumSpec::tolerance)),
      whole("spectrum.probes", "products", "behind each estimate of the trace, at least 6; 0: no trace", not_negative,
            in(&SpectrumSpec::probes)),
      whole("spectrum.steps", "products", "Lanczos steps of each vector behind the density; 0: no density",
            not_negative, in(&SpectrumSpec::steps)),
      whole("spectrum.vectors", "", "random vectors behind the density", {1}, in(&SpectrumSpec::vectors)),
      optional("spectrum.bandwidth", "eigenvalue",
               "standard deviation of the Gaussian that the density is seen through "
               "(a hundredth of the range where not given)",
               positive, in(&SpectrumSpec::bandwidth)),
      whole("spectrum.path", "states", "follow the top pairs along so many recorded states of the run; 0: its end only",
            not_negative, in(&SpectrumSpec::path)),
      whole("spectrum.seed", "", "seed of the random vectors", not_negative, in(&SpectrumSpec::seed)),
  };
}

std::vector<Key> study_keys() {
  const auto in = [](auto member) { return path(&Settings::study, member); };
  return {
      choices("study.methods", "compared methods, comma-separated, see `list methods`", methods(),
              in(&StudySpec::methods)),
      text("study.factors", "levels of any keys: section.key=level,level section.key=level,level; none: one cell",
           in(&StudySpec::factors)),
      choices("study.matching", "what the methods have in common, see `list matchings`", matchings(),
              in(&StudySpec::matching)),
      whole("study.seeds", "", "matched repetitions of every cell", {1, 1e6}, in(&StudySpec::seeds)),
      choice("study.baseline", "the method that the others are paired with", methods(), in(&StudySpec::baseline)),
      reals("study.tuning", "scheme.step", "tuned: the steps that every method tries, as multiples of scheme.step",
            positive, in(&StudySpec::tuning)),
      shard_key(),
      words("study.merge", "take over the finished runs of these directories, comma-separated, such as shards",
            in(&StudySpec::merge)),
      flag("study.geometry", "sharpness and trace of the Hessian at the end of every run",
           in(&StudySpec::geometry)),
      flag("study.curves", "keep the recorded rows of every run (curves.csv)", in(&StudySpec::curves)),
  };
}

/// A scheme's name, a family's, or one of `others`.
void require_scheme(const std::string& key, const std::string& word, std::vector<std::string> others,
                    bool families = false) {
  for (const SchemeRow& row : schemes()) {
    others.emplace_back(row.name);
    if (families && std::find(others.begin(), others.end(), row.family) == others.end())
      others.emplace_back(row.family);
  }
  require(std::find(others.begin(), others.end(), word) != others.end(),
          key + ": no '" + word + "'; " + suggestion(word, others));
}

Key scheme_names_key() {
  const std::string name = "schemes.names";
  return {name, "", "schemes and families, comma-separated, see `list schemes`; all; auto: two of every family",
          [=](Settings& s, const std::string& value) {
            const auto words = split_list(value);
            require(!words.empty(), name + ": '" + value + "' holds no name");
            for (const auto& word : words) require_scheme(name, word, {"auto", "all"}, true);
            s.schemes.names = words;
          },
          [](const Settings& s) { return joined(s.schemes.names, ','); }};
}

Key reference_key() {
  const std::string name = "schemes.reference";
  return {name, "", "scheme of the reference; auto: the most accurate one that suits the flow",
          [=](Settings& s, const std::string& value) {
            require_scheme(name, value, {"auto"});
            require(value == "auto" || find(schemes(), value, name).adaptive,
                    name + ": " + value + " has no error estimate to hold schemes.reference_tolerance by");
            s.schemes.reference = value;
          },
          [](const Settings& s) { return s.schemes.reference; }};
}

std::vector<Key> schemes_keys() {
  const auto in = [](auto member) { return path(&Settings::schemes, member); };
  return {
      scheme_names_key(),
      reals("schemes.steps", "time", "steps, comma-separated; auto: halvings as long as they help", positive,
            in(&SchemesSpec::steps), "auto"),
      reals("schemes.tolerances", "1", "tolerances rtol = atol of schemes with an error estimate", positive,
            in(&SchemesSpec::tolerances)),
      reference_key(),
      real("schemes.reference_tolerance", "1", "tolerance of the reference's first solve; its second halves the steps",
           positive, in(&SchemesSpec::reference_tolerance)),
      reals("schemes.accuracies", "1", "errors of theta at which the cheapest scheme is named", positive,
            in(&SchemesSpec::accuracies)),
      whole("schemes.most_steps", "steps", "a solve that is not there after so many has failed", {1},
            in(&SchemesSpec::most_steps)),
      whole("schemes.repeats", "", "solves of which the least time counts", {1}, in(&SchemesSpec::repeats)),
      flag("schemes.stability", "look for the largest stable step by bisection", in(&SchemesSpec::stability)),
  };
}

std::vector<Key> limit_keys() {
  const auto in = [](auto member) { return path(&Settings::limit, member); };
  return {
      choice("limit.kind", "which continuum limit, see `list limits`", limit_kinds(), in(&LimitSpec::kind)),
      reals("limit.steps", "time", "steps, comma-separated; auto: six halvings from half the inverse sharpness",
            positive, in(&LimitSpec::steps), "auto"),
      reals("limit.thetas", "1", "modified: theta methods, 0 explicit to 1 implicit Euler", not_negative,
            in(&LimitSpec::thetas)),
      whole("limit.runs", "", "noise: runs of an ensemble", {2}, in(&LimitSpec::runs)),
      whole("limit.amplification", "", "noise: l of SVAG, steps to one of descent; 1: descent itself", {1},
            in(&LimitSpec::amplification)),
  };
}

std::vector<Key> other_keys() {
  return {
      text("in.dir", "a finished run: its run.ini and weights.csv are the start", path(&Settings::in_dir)),
      text("evaluate.weights", "weights.csv to evaluate (in.dir's where not given)", path(&Settings::evaluate_weights)),
      text("evaluate.data", "data.csv to evaluate on (in.dir's where not given)", path(&Settings::evaluate_data)),
      evaluate_split_key(),
      whole("evaluate.seed", "", "seed of the normal vector v of the product", not_negative,
            path(&Settings::evaluate_seed)),
      text("out.dir", "directory of the results (results/COMMAND-N where not given)", path(&Settings::out_dir)),
      flag("out.overwrite", "replace the results of another run in out.dir", path(&Settings::overwrite)),
      flag("out.pictures", "pictures and report.html through postprocess/", path(&Settings::pictures)),
      text("petsc.options", "PETSc options, the same as after --", path(&Settings::petsc_options)),
  };
}

std::vector<Key> all_keys() {
  std::vector<Key> all;
  for (auto section : {data_keys, model_keys, flow_keys, scheme_keys, run_keys, picture_keys, spectrum_keys, study_keys,
                       schemes_keys, limit_keys, other_keys})
    for (Key& key : section()) all.push_back(std::move(key));
  return all;
}

}  // namespace

std::span<const Key> keys() {
  static const std::vector<Key> all = all_keys();
  return all;
}

std::vector<std::string> split_list(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::string::size_type start = 0;
  while (start <= text.size()) {
    const auto end = std::min(text.find(separator, start), text.size());
    const auto first = text.find_first_not_of(" \t", start), last = text.find_last_not_of(" \t", end - 1);
    if (first < end && end > start) words.push_back(text.substr(first, last - first + 1));
    start = end + 1;
  }
  return words;
}

}  // namespace thalweg
