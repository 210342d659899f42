import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.PluginInfo;

/**
 * Runs one OpenSearch node with the modules of the class path. Arguments: its directory, then setting=value each. The
 * property `plugin` names the class of one more plugin.
 */
public class OpenSearchMain {
  static final List<String> MODULES =
      List.of(
          "transport.Netty4ModulePlugin",
          "painless.PainlessModulePlugin",
          "ingest.common.IngestCommonModulePlugin",
          "analysis.common.CommonAnalysisModulePlugin",
          "index.reindex.ReindexModulePlugin",
          "index.mapper.MapperExtrasModulePlugin");

  /** The constructor that takes plugins is protected. */
  static class OneNode extends Node {
    OneNode(Environment environment, List<PluginInfo> plugins) {
      super(environment, plugins, true);
    }
  }

  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Files.createDirectories(home.resolve("config"));
    Settings.Builder settings = Settings.builder().put("path.home", home.toString());
    EngineProcess.readSettings(args, settings::put);
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), null, () -> "node-1");
    List<PluginInfo> plugins =
        Stream.concat(MODULES.stream(), Stream.ofNullable(System.getProperty("plugin")))
            .map(name -> "org.opensearch." + name)
            .map(name -> new PluginInfo(name, "module", "1", Version.CURRENT, "21", name, List.of(), false))
            .toList();
    Node node = new OneNode(environment, plugins);
    node.start();
    EngineProcess.serve(node);
  }
}
