import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.repository.IRepository;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kotlin.Pair;
import org.hl7.elm.r1.VersionedIdentifier;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Resource;
import org.opencds.cqf.cql.engine.execution.CqlEngine;
import org.opencds.cqf.cql.engine.execution.EvaluationParams;
import org.opencds.cqf.cql.engine.execution.EvaluationResult;
import org.opencds.cqf.cql.engine.execution.EvaluationResults;
import org.opencds.cqf.cql.engine.runtime.Tuple;
import org.opencds.cqf.fhir.cql.Engines;
import org.opencds.cqf.fhir.cql.EvaluationSettings;
import org.opencds.cqf.fhir.cql.engine.parameters.CqlFhirParametersConverter;
import org.opencds.cqf.fhir.cql.engine.retrieve.RetrieveSettings.SEARCH_FILTER_MODE;
import org.opencds.cqf.fhir.cql.engine.retrieve.RetrieveSettings.TERMINOLOGY_FILTER_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_EXPANSION_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_MEMBERSHIP_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_PRE_EXPANSION_MODE;
import org.opencds.cqf.fhir.utility.repository.InMemoryFhirRepository;
import org.opencds.cqf.fhir.utility.repository.ProxyRepository;

/**
 * Evaluates defines of libraries for patients given as NDJSON Bundles, one thread, one repository a patient.
 *
 * <p>usage: EvaluateBenchmark KNOWLEDGE PATIENTS AS_OF together|apart NAME|VERSION=SHOWN;SILENT... "together" is all
 * libraries in one evaluation, so that what they share is computed once; "apart" an evaluation for each library, as a
 * server's $evaluate and $apply ask for them. SHOWN and SILENT are defines joined by commas. Of each patient the values of those that are shown are printed, {@code VALUE|VALUE...} a library, the
 * libraries apart by tabs, so that the caller can compare. Then each number of seconds on a line of standard input
 * makes it work that long and print {@code PATIENTS SECONDS}.
 */
public final class EvaluateBenchmark {
  /** A library and its defines. */
  private record Asked(VersionedIdentifier library, List<String> shown, List<String> silent) {
    static Asked of(String argument) {
      String[] parts = argument.split("[|=;]", -1);
      VersionedIdentifier library = new VersionedIdentifier().withId(parts[0]).withVersion(parts[1]);
      return new Asked(library, split(parts[2]), split(parts[3]));
    }

    private static List<String> split(String names) {
      return names.isEmpty() ? List.of() : Arrays.asList(names.split(","));
    }

    List<String> defines() {
      return Stream.concat(shown.stream(), silent.stream()).toList();
    }
  }

  private final FhirContext fhir = FhirContext.forR4();
  private final EvaluationSettings settings = EvaluationSettings.getDefault();
  private final CqlFhirParametersConverter converter;
  private final IRepository knowledge;
  private final Parameters parameters;
  private final List<Asked> asked;
  private final boolean together;

  private EvaluateBenchmark(Path folder, String asOf, boolean together, List<Asked> asked) throws Exception {
    fhir.setValidationSupport(new DefaultProfileValidationSupport(fhir));
    // The compiled libraries and the expansions are kept from patient to patient.
    settings.setLibraryCache(new ConcurrentHashMap<>());
    settings.setValueSetCache(new ConcurrentHashMap<>());
    // Of the ways that work in memory, the fastest measured: value sets come with their expansion.
    settings.getRetrieveSettings()
        .setSearchParameterMode(SEARCH_FILTER_MODE.FILTER_IN_MEMORY)
        .setTerminologyParameterMode(TERMINOLOGY_FILTER_MODE.FILTER_IN_MEMORY);
    settings.getTerminologySettings()
        .setValuesetPreExpansionMode(VALUESET_PRE_EXPANSION_MODE.USE_IF_PRESENT)
        .setValuesetExpansionMode(VALUESET_EXPANSION_MODE.PERFORM_NAIVE_EXPANSION)
        .setValuesetMembershipMode(VALUESET_MEMBERSHIP_MODE.USE_EXPANSION);
    this.converter = Engines.getCqlFhirParametersConverter(fhir);
    this.knowledge = new InMemoryFhirRepository(fhir, definitions(folder));
    this.parameters = new Parameters();
    parameters.addParameter().setName("AsOf").setValue(new DateTimeType(asOf));
    this.asked = asked;
    this.together = together;
  }

  public static void main(String[] args) throws Exception {
    List<Asked> asked = Arrays.stream(args).skip(4).map(Asked::of).toList();
    boolean together = args[3].equals("together");
    EvaluateBenchmark benchmark = new EvaluateBenchmark(Path.of(args[0]), args[2], together, asked);
    List<byte[]> patients = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(args[1]))) {
      patients.add(line.getBytes(StandardCharsets.UTF_8));
    }
    for (byte[] patient : patients) {
      System.out.println(benchmark.shown(benchmark.evaluate(patient)));
    }
    BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String order = orders.readLine(); order != null; order = orders.readLine()) {
      long start = System.nanoTime();
      int done = benchmark.runFor(patients, Double.parseDouble(order));
      System.out.println(done + " " + (System.nanoTime() - start) / 1e9);
    }
    System.exit(0);
  }

  private int runFor(List<byte[]> patients, double seconds) {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    int done = 0;
    while (System.nanoTime() < end) {
      evaluate(patients.get(done % patients.size()));
      done++;
    }
    return done;
  }

  /** From JSON to the values of the defines: of each library its results. */
  private List<EvaluationResult> evaluate(byte[] json) {
    Bundle bundle = fhir.newJsonParser().parseResource(Bundle.class, new String(json, StandardCharsets.UTF_8));
    String patient = bundle.getEntryFirstRep().getResource().getIdElement().getIdPart();
    IRepository data = new ProxyRepository(new InMemoryFhirRepository(fhir, bundle), knowledge, knowledge);
    if (together) {
      return evaluate(asked, data, patient);
    }
    List<EvaluationResult> results = new ArrayList<>();
    for (Asked each : asked) {
      results.addAll(evaluate(List.of(each), data, patient));
    }
    return results;
  }

  private List<EvaluationResult> evaluate(List<Asked> wanted, IRepository data, String patient) {
    CqlEngine engine = Engines.forRepository(data, settings);
    EvaluationParams.Builder params = new EvaluationParams.Builder();
    params.setContextParameter(new Pair<>("Patient", patient));
    params.setParameters(converter.toCqlParameters(parameters));
    for (Asked each : wanted) {
      EvaluationParams.LibraryParams.Builder defines = new EvaluationParams.LibraryParams.Builder();
      defines.expressions(each.defines());
      params.library(each.library(), defines.build());
    }
    EvaluationResults results = engine.evaluate(params.build());
    for (RuntimeException failure : results.getExceptions().values()) {
      throw failure;
    }
    List<EvaluationResult> found = new ArrayList<>();
    for (Asked each : wanted) {
      EvaluationResult result = results.getResultFor(each.library());
      for (String define : each.defines()) {
        result.get(define).getValue();
      }
      found.add(result);
    }
    return found;
  }

  private String shown(List<EvaluationResult> results) {
    List<String> texts = new ArrayList<>();
    for (int n = 0; n < asked.size(); n++) {
      texts.add(shown(asked.get(n), results.get(n)));
    }
    return String.join("\t", texts);
  }

  private static String shown(Asked asked, EvaluationResult result) {
    return asked.shown().stream()
        .map(define -> text(result.get(define).getValue()))
        .collect(Collectors.joining("|"));
  }

  /** A value on one line: the elements of a list and of a tuple in brackets, those of a tuple by name. */
  private static String text(Object value) {
    if (value instanceof Tuple tuple) {
      return text(new TreeMap<>(tuple.getElements()).values());
    }
    if (value instanceof Iterable<?> values) {
      List<String> texts = new ArrayList<>();
      values.forEach(each -> texts.add(text(each)));
      return texts.toString();
    }
    return String.valueOf(value);
  }

  private Bundle definitions(Path folder) throws Exception {
    Bundle bundle = new Bundle();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(f -> f.getFileName().toString().matches("(Library|ValueSet|CodeSystem)-.*")).sorted().toList()) {
        bundle.addEntry().setResource((Resource) fhir.newJsonParser().parseResource(Files.readString(file)));
      }
    }
    return bundle;
  }
}
