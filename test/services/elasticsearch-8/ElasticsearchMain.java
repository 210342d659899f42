import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.Build;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one Elasticsearch node with nothing but its HTTP module, which is loaded from modules/ as in a distribution.
 * Arguments: its directory (with the module's jars in modules/transport-netty4), then setting=value each.
 */
public class ElasticsearchMain {
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Files.createDirectories(home.resolve("config"));
    Files.createDirectories(home.resolve("plugins"));
    String version = Build.current().version();
    Files.writeString(
        home.resolve("modules/transport-netty4/plugin-descriptor.properties"),
        String.join(
            "\n",
            "name=transport-netty4",
            "description=HTTP",
            "version=" + version,
            "elasticsearch.version=" + version,
            "java.version=17",
            "classname=org.elasticsearch.transport.netty4.Netty4Plugin",
            "extended.plugins=",
            "has.native.controller=false",
            ""));
    Settings.Builder settings = Settings.builder().put("path.home", home.toString());
    EngineProcess.readSettings(args, settings::put);
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(
            settings.build(), Map.of(), home.resolve("config"), () -> "node-1");
    LogConfigurator.configureESLogging();
    PluginsLoader loader =
        PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()), Set.of(), Map.of(), false);
    Node node = new Node(environment, loader);
    node.start();
    EngineProcess.serve(node);
  }
}
