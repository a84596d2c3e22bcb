import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import kotlinx.io.files.PathsJvmKt;
import org.cqframework.cql.cql2elm.CqlCompilerException;
import org.cqframework.cql.cql2elm.CqlCompilerException.ErrorSeverity;
import org.cqframework.cql.cql2elm.CqlCompilerOptions;
import org.cqframework.cql.cql2elm.CqlCompilerOptions.Options;
import org.cqframework.cql.cql2elm.CqlTranslator;
import org.cqframework.cql.cql2elm.DefaultLibrarySourceProvider;
import org.cqframework.cql.cql2elm.LibraryBuilder.SignatureLevel;
import org.cqframework.cql.cql2elm.LibraryManager;
import org.cqframework.cql.cql2elm.ModelManager;
import org.cqframework.cql.cql2elm.quick.FhirLibrarySourceProvider;
import org.cqframework.cql.cql2elm.tracking.TrackBack;
import org.hl7.elm.r1.IncludeDef;
import org.hl7.elm.r1.Library;
import org.hl7.elm.r1.VersionedIdentifier;

/**
 * Translates the CQL of several folders, which may include one another, to ELM JSON beside each file.
 *
 * <p>usage: CqlToElm [--helpers FOLDER] FOLDER...
 *
 * <p>The FHIRHelpers that the libraries include are written, CQL and ELM, to the helpers folder (the first
 * folder unless given). Errors go to standard error as {@code file:line:column: error: text}; the exit
 * status is 1 when there was any, 2 for a wrong call. With an error nothing is written. Same sources, same bytes.
 */
public final class CqlToElm {
  private static final String HELPERS = "FHIRHelpers";

  private final List<Path> folders;
  private final Path helpersFolder;
  private final LibraryManager manager;
  private final Set<String> helperVersions = new TreeSet<>();
  private final Set<String> reported = new LinkedHashSet<>();
  private final Map<Path, String> outputs = new LinkedHashMap<>();
  private int errors = 0;

  private CqlToElm(List<Path> folders, Path helpersFolder) {
    this.folders = folders;
    this.helpersFolder = helpersFolder;
    this.manager = newManager(Options.EnableLocators, Options.DisableListDemotion, Options.DisableListPromotion);
  }

  public static void main(String[] args) throws IOException {
    List<Path> folders = new ArrayList<>();
    Path helpers = null;
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--helpers") && i + 1 < args.length) {
        helpers = Path.of(args[++i]);
      } else {
        folders.add(Path.of(args[i]));
      }
    }
    if (folders.isEmpty() || !folders.stream().allMatch(Files::isDirectory)) {
      System.err.println("usage: CqlToElm [--helpers FOLDER] FOLDER...");
      System.exit(2);
    }
    System.exit(new CqlToElm(folders, helpers == null ? folders.get(0) : helpers).translateAll() == 0 ? 0 : 1);
  }

  private int translateAll() throws IOException {
    int count = 0;
    for (Path folder : folders) {
      for (Path source : sources(folder)) {
        translate(source);
        count++;
      }
    }
    for (String version : helperVersions) {
      addHelpers(version);
    }
    if (errors == 0) {
      for (Map.Entry<Path, String> output : outputs.entrySet()) {
        Files.writeString(output.getKey(), output.getValue().replace("\r\n", "\n") + "\n");
      }
    }
    System.out.printf("%d libraries, %d errors%n", count, errors);
    return errors;
  }

  /** The libraries of a folder by name; FHIRHelpers there is our own output. */
  private static List<Path> sources(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".cql"))
          .filter(file -> !file.getFileName().toString().startsWith(HELPERS + "-"))
          .sorted()
          .toList();
    }
  }

  private void translate(Path source) throws IOException {
    CqlTranslator translator = CqlTranslator.fromText(Files.readString(source), manager);
    String name = source.getFileName().toString().replaceAll("\\.cql$", "");
    if (reportAll(source, translator.getExceptions()) > 0) return;
    Library elm = translator.toELM();
    if (!name.equals(elm.getIdentifier().getId())) {
      report(source + ":1:1: error: the file should be named " + elm.getIdentifier().getId() + ".cql");
      errors++;
    }
    outputs.put(source.resolveSibling(name + ".json"), translator.toJson());
    if (elm.getIncludes() != null) {
      elm.getIncludes().getDef().stream()
          .filter(include -> HELPERS.equals(include.getPath()) && include.getVersion() != null)
          .map(IncludeDef::getVersion)
          .forEach(helperVersions::add);
    }
  }

  private void addHelpers(String version) throws IOException {
    VersionedIdentifier id = new VersionedIdentifier().withId(HELPERS).withVersion(version);
    Path base = helpersFolder.resolve(HELPERS + "-" + version);
    try (InputStream cql = CqlToElm.class.getResourceAsStream("/org/hl7/fhir/" + HELPERS + "-" + version + ".cql")) {
      outputs.put(Path.of(base + ".cql"), new String(cql.readAllBytes(), StandardCharsets.UTF_8).stripTrailing());
    }
    LibraryManager plain = newManager(Options.DisableListDemotion, Options.DisableListPromotion);
    outputs.put(Path.of(base + ".json"), CqlTranslator.convertToJson(plain.resolveLibrary(id).getLibrary()));
  }

  private LibraryManager newManager(Options... options) {
    CqlCompilerOptions settings = new CqlCompilerOptions();
    settings.setOptions(options);
    settings.setSignatureLevel(SignatureLevel.Overloads);
    settings.setErrorLevel(ErrorSeverity.Info);
    settings.setValidateUnits(true);
    settings.setCompatibilityLevel("1.5");
    LibraryManager created = new LibraryManager(new ModelManager(), settings);
    for (Path folder : folders) {
      created.getLibrarySourceLoader()
          .registerProvider(new DefaultLibrarySourceProvider(PathsJvmKt.Path(folder.toString())));
    }
    created.getLibrarySourceLoader().registerProvider(new FhirLibrarySourceProvider());
    return created;
  }

  /** Prints each message once, in the order of the lines; returns the number of errors. */
  private int reportAll(Path source, List<CqlCompilerException> messages) {
    int found = 0;
    for (CqlCompilerException each : messages.stream().sorted(Comparator.comparingInt(CqlToElm::line)).toList()) {
      if (isNameOfItself(each)) continue;
      report(message(source, each));
      if (each.getSeverity() == ErrorSeverity.Error) found++;
    }
    errors += found;
    return found;
  }

  /** A text that is also a name is meant here: a fact 'platelets' stands on the value set "platelets". */
  private static boolean isNameOfItself(CqlCompilerException each) {
    return each.getSeverity() == ErrorSeverity.Warning
        && String.valueOf(each.getMessage()).matches("String literal '.*' matches the identifier .*");
  }

  private void report(String message) {
    if (reported.add(message)) System.err.println(message);
  }

  private static int line(CqlCompilerException each) {
    return each.getLocator() == null ? 0 : each.getLocator().getStartLine();
  }

  /** Names the library at fault, which may be one that the source includes, from any folder. */
  private String message(Path source, CqlCompilerException each) {
    TrackBack at = each.getLocator();
    Path culprit = source;
    if (at != null && at.getLibrary() != null && at.getLibrary().getId() != null) {
      String file = at.getLibrary().getId() + ".cql";
      culprit = folders.stream().map(f -> f.resolve(file)).filter(Files::exists).findFirst().orElse(source);
    }
    String where = at == null ? "1:1" : at.getStartLine() + ":" + at.getStartChar();
    return culprit + ":" + where + ": " + each.getSeverity().toString().toLowerCase() + ": " + each.getMessage();
  }
}
